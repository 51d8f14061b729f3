"""One network learns the stages of the data in turn."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch

from datasets.windows.loaders import TrainLoader, WindowSource
from datasets.windows.prepared import PreparedData
from datasets.windows.windowing import Origins, train_origins
from models.floors.linear_closed_form import LinearClosedForm
from search_spaces.base import Config
from tests.tuner.training.data import synthetic
from tests.tuner.training.test_trial import SMALL, run
from tuner.study.schema import split_config
from tuner.study.trial import Report
from tuner.training.evaluate import Evaluation, evaluate_floor, evaluate_weights
from tuner.training.metrics import mase_scales
from tuner.training.module import ForecastModule, Step
from tuner.training.network import build
from tuner.training.protocols import Chained, Independent
from tuner.training.replay import Rehearsal, exemplars, herded, random_windows
from tuner.training.scoring import score_floor
from tuner.training.spec import TrialSpec

STAGES = synthetic(n_stages=3)
DATA = STAGES.for_trials()
SPEC = TrialSpec(model="dlinear", config=SMALL, seed=0, epochs=6, metric="mse_scaled")


def learned(data: PreparedData = DATA, **config: Any) -> list[Report]:
    return run({f"train.{key}": value for key, value in config.items()}, data, epochs=6)[1]


def source() -> WindowSource:
    return WindowSource(DATA, DATA.stages[0], split_config(SMALL)[2])


def origins(stage: int) -> Origins:
    return train_origins(DATA.stages[stage], DATA.offsets, 24, DATA.horizon)


def test_each_stage_is_learned_for_as_many_epochs_after_the_one_before_it() -> None:
    assert [(report.turn, report.stage, report.step) for report in learned()] == [
        (0, "stage_1", 4), (0, "stage_1", 8), (1, "stage_2", 4), (1, "stage_2", 8), (2, "stage_3", 4), (2, "stage_3", 8),
    ]  # fmt: skip


def test_after_each_epoch_the_network_is_scored_on_every_stage() -> None:
    for report in learned():
        assert list(report.stages) == ["stage_1", "stage_2", "stage_3"]
        assert report.metrics["mse_scaled"] == pytest.approx(np.mean(list(report.stages.values())))


def test_a_stage_learns_nothing_from_rows_after_it() -> None:
    changed = DATA.values.copy()
    changed[DATA.stages[1].train[0, 0] :] *= 3
    before, after = learned(), learned(replace(DATA, values=changed))
    same = [one.weights_sha256 == other.weights_sha256 for one, other in zip(before, after, strict=True)]
    assert same == [True, True, False, False, False, False]


def test_level_and_spread_are_those_of_the_first_stage() -> None:
    start, end = DATA.stages[0].train[0]
    expected = DATA.values[start:end].mean(0)
    for stage in STAGES.opened().stages:
        np.testing.assert_allclose(stage.scalers.targets.mean[0], expected)


def test_the_first_weights_of_a_turn_count_as_its_best() -> None:
    reports = learned(learning_rate=0.05)
    assert [reports[k].best is not None for k in (0, 2, 4)] == [True, True, True]


def test_the_schedule_begins_anew_with_each_stage() -> None:
    rates = [report.metrics["learning_rate"] for report in learned(schedule="halve", learning_rate=0.01)]
    assert rates == pytest.approx([0.01, 0.005] * 3)


def test_the_network_of_the_last_stage_is_evaluated_on_all_of_them() -> None:
    reports = learned()
    best = min(reports[4:], key=lambda report: report.metrics["mse_scaled"])
    assert best.best is not None
    found = evaluate_weights("best", replace(SPEC, config=SMALL), best.best, STAGES.opened())
    assert found.validation.metrics["mse_scaled"] == pytest.approx(best.metrics["mse_scaled"], rel=1e-6)


def kept_by(replay: str, turn: int) -> list[int]:
    """The origins that a turn replays."""
    config: Config = {**SMALL, "train.replay": replay, "train.replay_size": 10}
    loader = next(each for each in Chained(replace(SPEC, config=config), DATA).turns(0) if each.number == turn).loader
    assert isinstance(loader, Rehearsal)
    return [] if loader.kept is None else loader.kept.origins.all().tolist()


@pytest.mark.parametrize("replay", ["none", "random", "exact", "experience"])
def test_the_first_stage_replays_nothing(replay: str) -> None:
    assert kept_by(replay, 0) == []


@pytest.mark.parametrize("replay", ["random", "experience"])
def test_what_is_kept_is_shared_out_among_the_earlier_stages(replay: str) -> None:
    first, second, third = (set(origins(stage).all().tolist()) for stage in range(3))
    assert len(set(kept_by(replay, 1)) & first) == 10
    kept = set(kept_by(replay, 2))
    assert (len(kept & first), len(kept & second), len(kept & third)) == (5, 5, 0)


def test_exact_replay_keeps_all_windows_of_the_earlier_stages() -> None:
    assert kept_by("exact", 2) == [*origins(0).all().tolist(), *origins(1).all().tolist()]


def test_without_replay_nothing_is_kept() -> None:
    assert kept_by("none", 2) == []


def test_of_a_smaller_memory_the_first_windows_stay() -> None:
    network, _, _ = build("dlinear", SMALL, DATA, 0)
    for size in (3, 7):
        np.testing.assert_array_equal(random_windows(origins(0), size, 5), random_windows(origins(0), 20, 5)[:size])
        few, many = (exemplars(network, source(), origins(0), n, 5) for n in (size, 20))
        np.testing.assert_array_equal(few, many[:size])


def test_herding_looks_at_the_steps_that_were_trained() -> None:
    network, _, _ = build("dlinear", SMALL, DATA, 0)
    torch.manual_seed(0)
    for weight in network.parameters():  # whose steps are all alike before training
        torch.nn.init.normal_(weight)
    last = WindowSource(replace(DATA, first_counted=DATA.horizon - 1), DATA.stages[0], split_config(SMALL)[2])
    inputs = last.batch(torch.from_numpy(origins(0).all())).inputs
    with torch.inference_mode():
        expected = herded(network.model(inputs)[:, -1, :, 0], 20)
    found = exemplars(network, last, origins(0), 20, 5)
    np.testing.assert_array_equal(found, origins(0).all()[expected])
    assert found.tolist() != exemplars(network, source(), origins(0), 20, 5).tolist()


@pytest.mark.parametrize(("model", "loss", "first"), [("dlinear", "mse", DATA.horizon - 1), ("deepar", "normal", 0)])
def test_what_is_taught_with_true_values_learns_all_steps_and_the_rest_those_that_count(
    model: str, loss: str, first: int
) -> None:
    last = replace(DATA, first_counted=DATA.horizon - 1)
    spec = replace(SPEC, model=model, config={"data.lookback": 8, "train.loss": loss})
    for protocol in (Independent(spec, last), Chained(spec, last)):
        assert {each.source.first_counted for each in protocol.scored} == {first}


def test_herding_takes_the_row_that_brings_the_mean_closest() -> None:
    features = torch.randn(12, 3, generator=torch.Generator().manual_seed(0))
    mean, chosen = features.mean(0), list[int]()
    for k in range(1, 6):
        rest = [i for i in range(12) if i not in chosen]
        chosen.append(min(rest, key=lambda i: float((mean - features[[*chosen, i]].sum(0) / k).norm())))
    assert herded(features, 5).tolist() == chosen


def test_a_step_weighs_the_losses_on_new_and_kept_windows() -> None:
    network, train, _ = build("dlinear", SMALL, DATA, 0)
    new, kept = (next(iter(TrainLoader(source(), origins(stage), 8))) for stage in (1, 0))
    for n_parts in (1, 3):
        network.zero_grad()
        expected = 0.3 * network.loss(new) + 0.7 * network.loss(kept)
        gradients = torch.autograd.grad(expected, list(network.parameters()))
        module = ForecastModule([network], train, n_steps=[1], seed=0, n_parts=n_parts)
        parts = [module.training_step(Step(0, ((0.3, new), (0.7, kept))), 0), *(part() for part in module._waiting)]
        torch.autograd.backward(parts)
        assert sum(float(part.detach()) for part in parts) == pytest.approx(float(expected.detach()), rel=1e-5)
        for weight, gradient in zip(network.parameters(), gradients, strict=True):
            torch.testing.assert_close(weight.grad, gradient)


@pytest.mark.parametrize("replay", ["random", "exact", "experience"])
def test_replay_forgets_less(replay: str) -> None:
    """Of stages whose level rises, so that what was learned of the first is no good for the last."""
    values = DATA.values.copy()
    for stage, sign in zip(DATA.stages, (1, -1, 1), strict=True):
        start, end = stage.train[0, 0], stage.score[0, 1]
        values[start:end] = np.cumsum(np.random.default_rng(0).normal(size=(end - start, values.shape[1])), 0) * sign
        values[start:end] += 50 * sign * np.sin(np.arange(end - start) / (6 if sign > 0 else 3))[:, None]
    data = replace(DATA, values=values)
    config: dict[str, Any] = {"learning_rate": 0.005, "new_stage_weight": 0.5}
    without, kept = (learned(data, replay=which, **config)[3].stages["stage_1"] for which in ("none", replay))
    assert kept < 0.9 * without


def test_a_warning_of_a_loss_names_the_stage_that_was_learned() -> None:
    outcome, _ = run({"train.learning_rate": 1e30, "train.optimizer": "sgd"}, DATA, epochs=6)
    assert "(stage stage_1)" in outcome.reason


def test_a_checkpoint_has_the_kept_windows_of_each_stage() -> None:
    last = learned(replay="random", replay_size=4)[-1].last
    assert last is not None
    assert sorted(key for key in safetensors.torch.load(last) if key.startswith("kept.")) == ["kept.stage_1", "kept.stage_2"]


def test_a_floor_may_know_all_rows_before_those_that_are_scored() -> None:
    data, floor = STAGES.opened(), LinearClosedForm()
    test = data.stages[-1]
    floor.fit(data, replace(test, train=np.array([[0, test.train[0, 1]]])))
    found = evaluate_floor("linear_closed_form", data)
    assert isinstance(found, Evaluation)
    assert found.test.metrics == score_floor(floor, data, test).metrics


def test_the_scale_of_mase_is_over_all_rows_before_those_that_are_scored() -> None:
    stage = DATA.stages[2]
    before = DATA.values[: stage.score[0, 0]]
    expected = np.abs(before[DATA.period :] - before[: -DATA.period]).mean(0)
    np.testing.assert_allclose(mase_scales(DATA, stage)[0], expected)


def test_herding_looks_at_fewer_windows_at_a_time_where_memory_is_short() -> None:
    network, _, _ = build("dlinear", SMALL, DATA, 0)
    sizes: list[int] = []
    network.model.register_forward_hook(lambda module, inputs, outputs: sizes.append(len(outputs)))
    whole, parts = (exemplars(network, source(), origins(0), 20, 5, n_parts) for n_parts in (1, 16))
    assert max(sizes[: len(sizes) // 3]) > 16
    assert max(sizes[-len(origins(0)) // 16 :]) == 16
    np.testing.assert_array_equal(whole, parts)
