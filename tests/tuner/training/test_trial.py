from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import safetensors.torch
import torch

from datasets.windows.prepared import PreparedData
from search_spaces.base import Config
from tests.commands import ROOT
from tests.tuner.training.data import synthetic
from tuner.study.metrics import METRICS, cost, rank
from tuner.study.train_config import TrainConfig
from tuner.study.trial import Decision, Report, State
from tuner.training.module import ForecastModule
from tuner.training.network import weights_of
from tuner.training.optimizer import make_optimizer, rate_factor
from tuner.training.outcome import Outcome
from tuner.training.seeding import seed_step
from tuner.training.spec import TrialSpec
from tuner.training.trial import run_trial

SMALL: Config = {"data.lookback": 24, "train.windows_per_epoch": 128}
HOLDOUT = synthetic().for_trials()
FOLDS = synthetic(n_folds=3).for_trials()
CHAINED = synthetic(n_stages=2).for_trials()


def run(
    config: Config,
    data: PreparedData = HOLDOUT,
    *,
    epochs: int = 3,
    seed: int = 0,
    metric: str = "mse_scaled",
    stop_at: int = 99,
) -> tuple[Outcome, list[Report]]:
    reports: list[Report] = []

    def report(said: Report) -> Decision:
        reports.append(said)
        return Decision.STOP if said.epoch == stop_at else Decision.CONTINUE

    model = str(config.get("model", "dlinear"))
    config = {**SMALL, **{key: value for key, value in config.items() if key != "model"}}
    spec = TrialSpec(model=model, config=config, seed=seed, epochs=epochs, metric=metric)
    return run_trial(spec, data, report), reports


def test_a_trial_reports_after_each_epoch() -> None:
    outcome, reports = run({})
    assert outcome.state is State.FINISHED
    assert [(report.epoch, report.step) for report in reports] == [(1, 4), (2, 8), (3, 12)]


def test_the_reported_rate_is_the_one_that_the_epoch_trained_with() -> None:
    _, reports = run({"train.schedule": "halve", "train.learning_rate": 0.01})
    assert [report.metrics["learning_rate"] for report in reports] == pytest.approx([0.01, 0.005, 0.0025])


def test_memory_that_cannot_be_had_makes_a_trial_infeasible() -> None:
    outcome, _ = run({"model": "tests.tuner.training.talkative", "model.n_bytes": 2**60})
    assert outcome.state is State.INFEASIBLE


def test_a_loss_that_a_model_does_not_support_is_refused() -> None:
    outcome, _ = run({"model": "tests.tuner.training.talkative", "train.loss": "huber"})
    assert "train.loss must be one that tests.tuner.training.talkative supports (mse)" in outcome.reason


def test_targets_that_a_loss_is_not_made_for_make_a_trial_infeasible() -> None:
    outcome, reports = run({"train.loss": "negative_binomial"})
    assert (outcome.state, reports) == (State.INFEASIBLE, [])
    assert "needs targets that are whole numbers" in outcome.reason


def test_weights_are_the_best_by_the_mean_cost_of_the_folds() -> None:
    start, end = FOLDS.stages[0].score[0]
    noisy = FOLDS.values.copy()  # so that intervals of the first fold are too narrow when those of the others are too wide
    noisy[start:end] += np.random.default_rng(0).normal(size=noisy[start:end].shape) * 0.6 * noisy.std(0)
    config: Config = {"train.loss": "normal", "train.learning_rate": 0.01}
    _, reports = run(config, replace(FOLDS, values=noisy), epochs=6, metric="coverage_80")
    costs = [rank("coverage_80", report.metrics, report.stages) for report in reports]
    of_means = [cost("coverage_80", report.metrics["coverage_80"]) for report in reports]
    better, other = ([c < min(some[:i], default=9) for i, c in enumerate(some)] for some in (costs, of_means))
    assert better != other
    assert [report.best is not None for report in reports] == better


def test_a_stop_ends_a_trial_after_the_epoch() -> None:
    outcome, reports = run({}, stop_at=2)
    assert (outcome.state, len(reports)) == (State.STOPPED, 2)


def test_weights_come_with_a_report_only_if_they_are_the_best_so_far() -> None:
    _, reports = run({"train.learning_rate": 0.05}, epochs=6)
    values = [report.metrics["mse_scaled"] for report in reports]
    assert [report.best is not None for report in reports] == [v == min(values[: i + 1]) for i, v in enumerate(values)]


def test_a_trial_that_leaves_the_finite_numbers_is_infeasible() -> None:
    outcome, _ = run({"train.learning_rate": 1e30, "train.optimizer": "sgd"})
    assert outcome.state is State.INFEASIBLE
    assert "became" in outcome.reason


def test_a_failure_is_told_with_its_place_and_traceback() -> None:
    outcome, _ = run({"model": "tests.end_to_end.plugins.fragile", "model.fault": "break"})
    assert outcome.state is State.FAILED
    assert "fragile.py:" in outcome.place
    assert "the model is broken" in outcome.traceback


INFORMER: Config = {
    "model": "informer", "model.n_heads": 1, "model.head_width": 8, "model.feedforward": 16, "model.dropout": 0.3,
}  # fmt: skip


def test_the_same_seed_gives_the_same_weights_after_every_epoch() -> None:
    torch.manual_seed(5)
    first = [report.weights_sha256 for report in run(INFORMER)[1]]
    torch.rand(3)
    assert [report.weights_sha256 for report in run(INFORMER)[1]] == first


def test_other_seeds_give_other_weights() -> None:
    assert run({}, seed=1)[1][0].weights_sha256 != run({}, seed=2)[1][0].weights_sha256


def test_the_draws_of_a_step_are_a_function_of_seed_and_step() -> None:
    draws = []
    for seed, step in ((1, 2), (1, 3), (2, 2), (1, 2)):
        seed_step(seed, step, torch.device("cpu"))
        draws.append(torch.rand(1).item())
    assert draws[0] == draws[3]
    assert len(set(draws)) == 3


def test_what_a_trial_prints_goes_to_its_log(capsys: pytest.CaptureFixture[str]) -> None:
    _, reports = run({"model": "tests.tuner.training.talkative"})
    assert capsys.readouterr().out == ""
    assert "hello" in reports[0].log


@pytest.mark.parametrize("precision", ["32", "bf16"])
@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_every_optimiser_and_precision_lowers_the_training_loss(optimizer: str, precision: str) -> None:
    _, reports = run({"train.optimizer": optimizer, "train.precision": precision, "train.learning_rate": 0.01}, epochs=4)
    assert reports[-1].metrics["train_loss"] < reports[0].metrics["train_loss"]


def best_of(reports: list[Report], stage: str) -> dict[str, torch.Tensor]:
    """The best weights of one stage."""
    return safetensors.torch.load(weights_of(stage, [report.best for report in reports if report.best][-1]))


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(tensor, other[key]) for key, tensor in one.items())


DROPS: Config = {**INFORMER, "train.gradient_clip": 0.5, "train.schedule": "cosine", "train.windows_per_epoch": 96}


@pytest.mark.parametrize(
    "config",
    [DROPS, {"train.windows_per_epoch": None, "train.batch_size": 256, "train.schedule": "halve", "train.optimizer": "sgd"}],
)
def test_a_fold_trains_as_it_would_alone(config: Config) -> None:
    _, together = run(config, FOLDS, epochs=1)
    for stage in FOLDS.stages:
        _, alone = run(config, replace(FOLDS, stages=(stage,)), epochs=1)
        assert same(best_of(together, stage.name), best_of(alone, stage.name))
        assert together[0].stages[stage.name] == alone[0].metrics["mse_scaled"]


def test_later_epochs_of_a_fold_are_those_it_would_have_alone() -> None:
    _, together = run(DROPS, FOLDS, epochs=2)
    _, alone = run(DROPS, replace(FOLDS, stages=FOLDS.stages[1:2]), epochs=2)
    assert [report.stages["fold_2"] for report in together] == [report.metrics["mse_scaled"] for report in alone]


def test_a_report_has_the_value_of_each_fold_and_their_mean() -> None:
    _, reports = run({}, FOLDS)
    assert [list(report.stages) for report in reports] == [["fold_1", "fold_2", "fold_3"]] * 3
    for report in reports:
        assert report.metrics["mse_scaled"] == pytest.approx(np.mean(list(report.stages.values())), rel=1e-12)


def test_all_folds_start_from_the_same_weights() -> None:
    _, reports = run({"train.learning_rate": 1e-30}, FOLDS, epochs=1)
    first, *others = (best_of(reports, stage.name) for stage in FOLDS.stages)
    assert all(same(first, other) for other in others)


def test_the_steps_of_a_report_are_those_of_its_stage() -> None:
    _, reports = run({"train.windows_per_epoch": None, "train.batch_size": 200}, FOLDS, epochs=2)
    n_steps = -(-(1400 - 24 - 12 + 1) // 200)
    assert [(report.stage, report.step) for report in reports] == [("fold_3", n_steps), ("fold_3", 2 * n_steps)]


def test_a_fold_never_sees_rows_after_its_train_end() -> None:
    example = synthetic(n_folds=3)
    rows = example.panel.values.copy()
    rows[1000:] *= -3  # where fold_1 stops training
    changed = replace(example, panel=replace(example.panel, values=rows)).for_trials()
    one, other = run(DROPS, FOLDS, epochs=1)[1], run(DROPS, changed, epochs=1)[1]
    assert FOLDS.stages[0].train.tolist() == [[0, 1000]]
    assert same(best_of(one, "fold_1"), best_of(other, "fold_1"))
    assert not same(best_of(one, "fold_2"), best_of(other, "fold_2"))


def test_own_steps_count_the_batches_of_a_stage() -> None:
    module = ForecastModule([], TrainConfig(), n_steps=[2, 1, 3], seed=0)
    order = [0, 0, 1, 2, 2, 2] * 2
    for stage in range(3):
        assert [module.own_step(stage, step) for step in range(13)] == [order[:step].count(stage) for step in range(13)]


def test_sampled_forecasts_repeat_bit_for_bit() -> None:
    first, second = (run({"train.loss": "student_t"}, metric="crps", epochs=1)[1] for _ in range(2))
    assert [replace(report, timing={}) for report in first] == [replace(report, timing={}) for report in second]


def test_the_weights_of_a_head_are_trained_with_the_model() -> None:
    few: Config = {"train.loss": "implicit_quantile", "train.windows_per_epoch": 64}
    before, after = (best_of(run({**few, "train.learning_rate": r}, epochs=1)[1], "holdout") for r in (1e-30, 1e-3))
    heads = [key for key in before if key.startswith("head.")]
    assert heads
    assert all(not torch.equal(before[key], after[key]) for key in heads)


def test_the_best_of_a_metric_that_rises_is_the_highest() -> None:
    _, reports = run({"train.learning_rate": 0.05}, metric="corr", epochs=6)
    values = [report.metrics["corr"] for report in reports]
    assert METRICS["corr"].better == "higher"
    assert [report.best is not None for report in reports] == [v == max(values[: i + 1]) for i, v in enumerate(values)]


def test_a_ranking_metric_without_a_value_makes_a_trial_infeasible() -> None:
    flat = np.broadcast_to(HOLDOUT.values[:1], HOLDOUT.values.shape)
    outcome, reports = run({}, replace(HOLDOUT, values=flat), metric="corr")
    assert (outcome.state, reports) == (State.INFEASIBLE, [])
    assert outcome.reason.startswith("Diverged: corr has no value in epoch 1 (stage holdout)")


@pytest.mark.slow
@pytest.mark.usefixtures("unchecked")
def test_a_compiled_trial_of_many_folds_trains_each() -> None:
    _, reports = run({"train.compile": True, "train.windows_per_epoch": 64}, FOLDS, epochs=1)
    _, plain = run({"train.windows_per_epoch": 64}, FOLDS, epochs=1)
    for name, value in plain[0].stages.items():
        assert reports[0].stages[name] == pytest.approx(value, rel=1e-3)


@pytest.mark.skipif(not any(map(shutil.which, ("g++", "clang++", "c++"))), reason="torch.compile needs a C++ compiler")
@pytest.mark.usefixtures("unchecked")
def test_a_compiled_model_trains_as_it_does_uncompiled() -> None:
    torch._dynamo.utils.counters.clear()
    (_, plain), (outcome, compiled) = run({}, epochs=2), run({"train.compile": True}, epochs=2)
    assert outcome.state is State.FINISHED, outcome.traceback
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 1
    for name in ("train_loss", "mse_scaled"):
        assert [r.metrics[name] for r in compiled] == pytest.approx([r.metrics[name] for r in plain], rel=1e-4)


@pytest.mark.parametrize(
    ("schedule", "factors"),
    [
        ("constant", {0: 1, 25: 1}),
        ("halve", {0: 1, 9: 1, 10: 0.5, 20: 0.25}),
        ("cosine", {0: 1, 50: 0.5, 100: 0, 200: 0}),
        ("one_cycle", {0: 1 / 25, 30: 1, 100: 0, 200: 0}),
    ],
)
def test_a_schedule_follows_its_curve(schedule: str, factors: dict[int, float]) -> None:
    factor = rate_factor(TrainConfig(schedule=schedule, schedule_epochs=10), steps_per_epoch=10)  # type: ignore[arg-type]
    assert {step: factor(step) for step in factors} == pytest.approx(factors, abs=1e-9)


def test_sgd_takes_the_momentum() -> None:
    optimizer = make_optimizer(TrainConfig(optimizer="sgd", momentum=0.5), [torch.nn.Linear(1, 1).parameters()])
    assert optimizer.param_groups[0]["momentum"] == 0.5


def test_the_first_step_of_adam_has_the_length_of_the_rate() -> None:
    layer = torch.nn.Linear(1, 1, bias=False)
    before = layer.weight.item()
    optimizer = make_optimizer(TrainConfig(learning_rate=0.25), [layer.parameters()])
    layer(torch.ones(1, 1)).sum().backward()
    optimizer.step()
    assert math.isclose(abs(layer.weight.item() - before), 0.25, rel_tol=1e-4)


def test_weights_do_not_depend_on_the_seed_of_hashes() -> None:
    code = "from tests.tuner.training.test_trial import INFORMER, run; print(run(INFORMER, epochs=1)[1][0].weights_sha256)"
    other = {**os.environ, "PYTHONHASHSEED": "42"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=other, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[-1] == run(INFORMER, epochs=1)[1][0].weights_sha256
