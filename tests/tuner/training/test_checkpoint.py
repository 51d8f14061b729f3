"""A trial that goes on from what came with a report is the trial that was not interrupted."""

from __future__ import annotations

import gc
import itertools
import math
import weakref
from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from datasets.windows.loaders import WindowSource
from datasets.windows.prepared import PreparedData
from search_spaces.base import Config
from tests.tuner.training.test_trial import CHAINED, FOLDS, HOLDOUT, INFORMER, SMALL
from tuner.study.schema import split_config
from tuner.study.train_config import Optimizer, Precision, Replay, Schedule
from tuner.study.trial import Decision, Report, State
from tuner.training.checkpoint import Checkpoint
from tuner.training.outcome import Outcome
from tuner.training.scoring import EVALUATION_BATCH
from tuner.training.spec import TrialSpec
from tuner.training.trial import run_trial

EPOCHS = 4


def run(
    config: Config,
    data: PreparedData = HOLDOUT,
    *,
    last: bytes | None = None,
    answer: Decision = Decision.CONTINUE,
    **spec: Any,
) -> tuple[Outcome, list[Report]]:
    config, reports = {**SMALL, "model": "dlinear", **config}, list[Report]()

    def report(said: Report) -> Decision:
        reports.append(said)
        return answer

    whole = TrialSpec(
        **{
            "model": config.pop("model"),
            "config": config,
            "seed": 0,
            "epochs": EPOCHS,
            "metric": "mse_scaled",
            **spec,
        }
    )
    outcome = run_trial(whole, data, report, last)
    return outcome, reports


def without_timing(reports: list[Report]) -> list[Report]:
    return [replace(report, timing={}, log="") for report in reports]


CASES: dict[str, tuple[Config, PreparedData]] = {
    **{
        f"{optimizer}, {schedule}, {precision}": (
            {"train.optimizer": optimizer, "train.schedule": schedule, "train.precision": precision},
            HOLDOUT,
        )
        for optimizer, schedule, precision in itertools.product(
            ("adam", "adamw", "sgd"), ("constant", "halve", "cosine", "one_cycle"), ("32", "bf16")
        )
    },
    "folds": ({"train.schedule": "one_cycle", "train.gradient_clip": 0.1}, FOLDS),
    "dropout": ({**INFORMER, "train.schedule": "cosine"}, HOLDOUT),
    "dropout, folds": ({**INFORMER, "train.optimizer": "sgd"}, FOLDS),
    "every window": ({"train.windows_per_epoch": None, "train.batch_size": 128}, HOLDOUT),
    "an odd number of windows": ({"train.windows_per_epoch": 37, "train.batch_size": 16}, HOLDOUT),
    "quantiles": ({"train.loss": "quantile"}, HOLDOUT),
    "paths": ({"train.loss": "student_t"}, HOLDOUT),
    "sgd without momentum": ({"train.optimizer": "sgd", "train.momentum": 0.0}, HOLDOUT),
    "parts": ({**INFORMER, "train.batch_size": 16}, HOLDOUT),
    **{f"stages in turn, {replay}": ({**INFORMER, "train.replay": replay}, CHAINED) for replay in get_args(Replay)},
}
CHECKPOINTED = (1, 2, 3)  # inside a stage, between two stages
SLOW = {name for name in CASES if name.count(",") == 2} - {
    "adam, constant, 32", "adam, one_cycle, bf16", "adamw, halve, bf16", "sgd, cosine, 32", "sgd, one_cycle, bf16",
} | {"dropout, folds", "stages in turn, none", "stages in turn, random"}  # fmt: skip


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in CASES])
def test_the_reports_after_a_checkpoint_are_those_of_an_uninterrupted_trial(name: str) -> None:
    config, data = CASES[name]
    n_parts = 3 if name == "parts" else 1
    _, whole = run(config, data, n_parts=n_parts)
    for after in CHECKPOINTED:
        outcome, reports = run(config, data, n_parts=n_parts, last=whole[after - 1].last)
        assert outcome.state is State.FINISHED
        assert without_timing(reports) == without_timing(whole[after:])


def test_each_way_to_train_is_tried_in_every_test_run() -> None:
    assert CASES.keys() >= SLOW
    words = {word for name in CASES.keys() - SLOW for word in name.split(", ")}
    assert {*get_args(Optimizer), *get_args(Schedule), *get_args(Precision), "folds", "stages in turn"} <= words


@pytest.mark.parametrize("epochs", [EPOCHS, EPOCHS - 2])
def test_a_trial_that_had_its_budget_is_finished_at_once(epochs: int) -> None:
    _, whole = run({})
    outcome, reports = run({}, last=whole[-1].last, epochs=epochs)
    assert (outcome.state, reports) == (State.FINISHED, [])


def test_a_larger_budget_alters_no_epoch_that_was_trained() -> None:
    config: Config = {"train.schedule": "cosine", "train.schedule_epochs": EPOCHS}
    _, short = run(config)
    _, long = run(config, epochs=EPOCHS + 2)
    _, more = run(config, epochs=EPOCHS + 2, last=short[-1].last)
    assert without_timing(short + more) == without_timing(long)


def test_a_pause_ends_a_trial_after_the_epoch() -> None:
    outcome, reports = run({}, answer=Decision.PAUSE)
    assert (outcome.state, len(reports)) == (State.PAUSED, 1)


def test_weights_come_back_as_the_best_only_if_they_beat_those_before_the_checkpoint() -> None:
    config: Config = {"train.learning_rate": 0.05}
    _, whole = run(config, epochs=6)
    best = [report.best is not None for report in whole]
    assert not all(best)
    for after in range(1, 6):
        assert [report.best is not None for report in run(config, epochs=6, last=whole[after - 1].last)[1]] == best[after:]


def test_a_checkpoint_of_another_config_is_refused_in_one_sentence() -> None:
    _, whole = run(INFORMER)
    outcome, _ = run({}, last=whole[0].last)
    assert outcome.state is State.FAILED
    assert "weights must be those of the same model and config" in outcome.reason


def test_a_checkpoint_of_another_optimiser_is_refused_in_one_sentence() -> None:
    _, whole = run({"train.optimizer": "adam"}, epochs=1)
    outcome, _ = run({"train.optimizer": "sgd"}, last=whole[0].last)
    assert outcome.state is State.FAILED
    assert "a checkpoint must be of the same optimiser, got exp_avg, exp_avg_sq, step for SGD" in outcome.reason


@given(st.integers(1, 10**6), st.floats(allow_nan=False))
def test_a_checkpoint_reads_as_it_was_written(epoch: int, best: float) -> None:
    before = Checkpoint(epoch=epoch, best=best, weights={"a.b": torch.ones(2)}, moments={7: {"exp_avg": torch.zeros(3)}})
    after = Checkpoint.from_bytes(before.to_bytes())
    assert (after.epoch, after.best) == (epoch, best)
    assert torch.equal(after.weights["a.b"], torch.ones(2))
    assert torch.equal(after.moments[7]["exp_avg"], torch.zeros(3))


# Batches in parts.

MISSING = replace(HOLDOUT, observed=np.random.default_rng(0).random(HOLDOUT.observed.shape) > 0.3)


def last_weights(config: Config, n_parts: int, data: PreparedData = MISSING) -> dict[str, torch.Tensor]:
    last = run(config, data, epochs=2, n_parts=n_parts)[1][-1].last
    assert last
    return dict(Checkpoint.from_bytes(last).weights)


@pytest.mark.parametrize("precision", ["32", "bf16"])
@pytest.mark.parametrize("n_parts", [pytest.param(2, marks=pytest.mark.slow), 3, pytest.param(4, marks=pytest.mark.slow), 64])
def test_batches_in_parts_train_the_weights_of_whole_ones(n_parts: int, precision: str) -> None:
    config: Config = {"train.optimizer": "sgd", "train.learning_rate": 0.1, "train.precision": precision}
    whole, parts = last_weights(config, 1), last_weights(config, n_parts)
    tolerance = 1e-5 if precision == "32" else 3e-2
    assert all(torch.allclose(whole[key], parts[key], rtol=tolerance, atol=tolerance) for key in whole)


def test_batches_in_parts_report_the_loss_of_whole_ones() -> None:
    whole, parts = (run({}, MISSING, epochs=1, n_parts=n)[1][0].metrics["train_loss"] for n in (1, 3))
    assert math.isclose(whole, parts, rel_tol=1e-5)


RECORDED: Config = {"model": "tests.tuner.training.recording", "train.batch_size": 32}


def test_a_part_leaves_the_memory_before_the_next_one_is_computed() -> None:
    from tests.tuner.training.recording import SIZES

    SIZES.clear()
    outcome, _ = run(RECORDED, epochs=1, n_parts=4)
    assert outcome.state is State.FINISHED, outcome.traceback
    assert max(size for size, _ in SIZES) == 8
    assert {n_saved for _, n_saved in SIZES} == {0}


def test_every_part_is_computed_in_the_precision_of_the_trial() -> None:
    from tests.tuner.training.recording import TYPES

    TYPES.clear()
    run({**RECORDED, "train.precision": "bf16"}, epochs=1, n_parts=4)
    assert {torch.bfloat16} == TYPES


def test_scoring_takes_fewer_windows_at_a_time_and_gives_the_same() -> None:
    from tests.tuner.training.recording import SCORED

    values, most = [], []
    for n_parts in (1, 4):
        SCORED.clear()
        _, (report,) = run({**RECORDED, "train.learning_rate": 1e-30}, epochs=1, n_parts=n_parts)
        values.append(report.metrics["mse_scaled"])
        most.append(max(SCORED))
    assert most[1] <= EVALUATION_BATCH // 4 < most[0]
    assert math.isclose(*values, rel_tol=1e-6)


@given(st.integers(1, 40), st.integers(1, 50))
def test_the_parts_of_a_batch_are_its_windows_in_order(size: int, n_parts: int) -> None:
    _, _, config = split_config({"data.lookback": 24})
    whole = WindowSource(HOLDOUT, HOLDOUT.stages[0], config).batch(torch.arange(100, 100 + size))
    parts = whole.split(n_parts)
    assert 1 <= len(parts) <= n_parts
    assert max(part.size for part in parts) <= -(-size // n_parts)
    assert torch.equal(torch.cat([part.future_target for part in parts]), whole.future_target)
    assert torch.equal(torch.cat([part.inputs.past_target for part in parts]), whole.inputs.past_target)


# Memory.


def test_memory_that_cannot_be_had_is_told_as_the_reason() -> None:
    outcome, _ = run({"model": "tests.tuner.training.talkative", "model.n_bytes": 2**60})
    assert (outcome.state, outcome.out_of_memory) == (State.INFEASIBLE, True)


@pytest.mark.parametrize("words", ["std::bad_alloc", "CUDA error: out of memory", "cuDNN error: CUDNN_STATUS_ALLOC_FAILED"])
def test_every_way_of_torch_to_say_it_is_known(words: str) -> None:
    def report(_: Report) -> Decision:
        raise RuntimeError(words)

    outcome = run_trial(TrialSpec(model="dlinear", config=SMALL, seed=0, epochs=1, metric="mse_scaled"), HOLDOUT, report)
    assert (outcome.state, outcome.out_of_memory) == (State.INFEASIBLE, True)


def test_what_diverges_is_not_out_of_memory() -> None:
    outcome, _ = run({"train.learning_rate": 1e30, "train.optimizer": "sgd"})
    assert (outcome.state, outcome.out_of_memory) == (State.INFEASIBLE, False)


def test_a_trial_leaves_no_network_behind() -> None:
    from tests.tuner.training.recording import MADE

    MADE.clear()
    gc.disable()
    try:
        run({"model": "tests.tuner.training.recording"}, epochs=1)
        assert [weakref.ref(made) for made in MADE] == []
    finally:
        gc.enable()
