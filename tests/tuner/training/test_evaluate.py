"""Weights that come back from their bytes, and floors, on validation and test."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

import models.floors
from datasets.base import FloatArray, IntArray
from datasets.windows.prepared import PreparedData, Stage
from models.floors.base import TooLong
from search_spaces.base import Config
from tests.tuner.training.data import synthetic
from tuner.study.trial import Decision, Report
from tuner.training.evaluate import Evaluation, NotRun, evaluate_floor, evaluate_weights, load_network
from tuner.training.network import weights_of
from tuner.training.spec import TrialSpec
from tuner.training.trial import run_trial

EXAMPLE = synthetic(n_folds=2)
OPENED = EXAMPLE.opened()
CONFIG: Config = {"data.lookback": 24, "train.windows_per_epoch": 64}


def trained(loss: str) -> tuple[TrialSpec, Report]:
    """One epoch on two folds."""
    spec = TrialSpec(model="dlinear", config={**CONFIG, "train.loss": loss}, seed=3, epochs=1, metric="mse_scaled", n_paths=5)
    reports: list[Report] = []

    def keep(report: Report) -> Decision:
        reports.append(report)
        return Decision.CONTINUE

    run_trial(spec, EXAMPLE.for_trials(), keep)
    return spec, reports[0]


@pytest.mark.parametrize("loss", ["mse", "student_t", "implicit_quantile"])
def test_weights_from_their_bytes_are_worth_what_their_trial_reported(loss: str) -> None:
    spec, report = trained(loss)
    again = evaluate_weights("best", spec, report.best or b"", OPENED)
    assert again.validation.metrics["mse_scaled"] == report.metrics["mse_scaled"]
    assert again.lookback == 24


def test_weights_are_scored_in_the_precision_that_their_trial_trains_in() -> None:
    spec, report = trained("mse")
    half = replace(spec, config={**spec.config, "train.precision": "bf16"})
    single_score, half_score = (evaluate_weights("best", each, report.best or b"", OPENED).test for each in (spec, half))
    assert half_score.metrics["mse_scaled"] != single_score.metrics["mse_scaled"]
    assert half_score.metrics["mse_scaled"] == pytest.approx(single_score.metrics["mse_scaled"], rel=0.02)


def test_the_network_of_the_last_fold_is_tested() -> None:
    spec, report = trained("mse")
    both = evaluate_weights("best", spec, report.best or b"", OPENED)
    last = evaluate_weights("best", spec, report.best or b"", replace(OPENED, stages=OPENED.stages[1:]))
    assert both.test == last.test
    assert both.validation != last.validation


def test_the_weights_of_a_stage_have_the_keys_of_a_network() -> None:
    spec, report = trained("implicit_quantile")
    network, *_ = load_network(spec.model, spec.config, OPENED, weights_of("fold_2", report.best or b""))
    assert {key.partition(".")[0] for key in network.state_dict()} == {"model", "head"}
    assert not network.training


class Recording:
    """Repeats the last value, and remembers on which stages it was fitted."""

    name = "recording"
    lookback = 1
    refits = False
    fitted: tuple[str, ...] = ()

    def fit(self, data: PreparedData, stage: Stage) -> None:
        type(self).fitted += (stage.name,)

    def forecast(self, data: PreparedData, origins: IntArray) -> FloatArray:
        return data.values[origins][:, None].repeat(data.horizon, axis=1)

    def describe(self) -> str:
        return ""


class Refitting(Recording):
    refits = True


class Slow(Recording):
    def fit(self, data: PreparedData, stage: Stage) -> None:
        raise TooLong("2,000,000 windows would take hours")


class Broken(Recording):
    def forecast(self, data: PreparedData, origins: IntArray) -> FloatArray:
        raise ZeroDivisionError


@pytest.fixture
def floors(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    known = {"recording": Recording, "refitting": Refitting, "slow": Slow, "broken": Broken}
    monkeypatch.setattr(models.floors, "get", known.__getitem__)
    yield
    Recording.fitted = Refitting.fitted = ()


@pytest.mark.usefixtures("floors")
def test_a_floor_that_does_not_refit_is_fitted_on_each_fold_and_never_for_the_test() -> None:
    evaluation = evaluate_floor("recording", OPENED)
    assert Recording.fitted == ("fold_1", "fold_2")
    assert isinstance(evaluation, Evaluation)
    assert evaluation.test.n_windows == 400 - 12 + 1


@pytest.mark.usefixtures("floors")
def test_a_floor_that_refits_is_fitted_on_each_fold_and_then_for_the_test() -> None:
    evaluate_floor("refitting", OPENED)
    assert Refitting.fitted == ("fold_1", "fold_2", "test")


@pytest.mark.usefixtures("floors")
def test_a_floor_that_would_take_too_long_is_not_run() -> None:
    assert evaluate_floor("slow", OPENED) == NotRun(who="slow", note="2,000,000 windows would take hours")


@pytest.mark.usefixtures("floors")
def test_a_floor_that_fails_is_a_bug() -> None:
    with pytest.raises(ZeroDivisionError):
        evaluate_floor("broken", OPENED)


def test_a_network_needs_all_of_its_weights() -> None:
    spec, report = trained("mse")
    said = r"weights must be those of the same model and config, \d+ of \d+ are not, such as model\..*, or train anew"
    with pytest.raises(ValueError, match=said):
        load_network(spec.model, spec.config, OPENED, weights_of("holdout", report.best or b""))
    assert torch.get_num_threads() == 1
