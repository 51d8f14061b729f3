from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from tests.tuner.results.runs import BASELINE, STUDY, Clock, add_trial, report
from tuner.results.evidence import Evidence, evidence_of
from tuner.results.store import RunStore
from tuner.study.trial import State

WHOLE: dict[str, Any] = {
    **STUDY,
    "data": {
        "sha256": "f00d",
        "series": ["a", "b"],
        "validation": [{"name": "holdout", "train": [[0, 70], [0, 50]], "score": [[70, 80], [50, 60]]}],
        "test": {"name": "test", "train": [[0, 70], [0, 50]], "score": [[80, 90], [60, 70]]},
    },
}


def other(folder: Path, study: dict[str, Any] = WHOLE) -> RunStore:
    store = RunStore.create(folder / "earlier", Clock())
    store.write_study(study)
    return store


def changed(*path: str | int, to: Any) -> dict[str, Any]:
    """The study, but for one thing."""
    study = copy.deepcopy(WHOLE)
    place: Any = study
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return study


def test_a_trial_is_its_config_its_end_and_the_best_so_far_of_each_epoch(tmp_path: Path) -> None:
    store = other(tmp_path)
    add_trial(store, [0.5, 0.4, 0.45], State.FINISHED)
    assert evidence_of(store, WHOLE) == [
        Evidence(
            study="earlier",
            number=0,
            config=BASELINE,
            state=State.FINISHED,
            values=((1, 0.5), (2, 0.4), (3, 0.4)),
            out_of_memory=False,
        )
    ]


def test_a_metric_that_should_be_high_counts_by_its_cost(tmp_path: Path) -> None:
    study = changed("problem", "metric", to="corr")
    store = other(tmp_path, study)
    store.config(0, BASELINE, seed=7)
    for epoch, corr in enumerate((0.5, 0.7, 0.6), start=1):
        said = report(epoch, 1.0)
        said.metrics["corr"] = corr
        store.report(0, said)
    store.tell(0, State.FINISHED)
    assert evidence_of(store, study)[0].values == ((1, -0.5), (2, -0.7), (3, -0.7))


def test_failed_and_open_trials_are_no_evidence(tmp_path: Path) -> None:
    store = other(tmp_path)
    for state in (State.FINISHED, State.FAILED, State.STOPPED, State.INFEASIBLE, State.FINISHED):
        add_trial(store, [0.5], state)
    store.reopen(4)
    store.config(5, BASELINE, seed=7)
    assert [(each.number, each.state) for each in evidence_of(store, WHOLE)] == [
        (0, State.FINISHED),
        (2, State.STOPPED),
        (3, State.INFEASIBLE),
    ]


def test_evidence_comes_in_the_order_of_the_last_ends(tmp_path: Path) -> None:
    store = other(tmp_path)
    for number in range(3):
        store.config(number, BASELINE, seed=7)
    for number in (1, 2, 0):
        store.tell(number, State.STOPPED)
    store.reopen(1)
    store.tell(1, State.FINISHED)
    assert [each.number for each in evidence_of(store, WHOLE)] == [2, 0, 1]


def test_a_lack_of_memory_is_remembered(tmp_path: Path) -> None:
    store = other(tmp_path)
    store.config(0, BASELINE, seed=7)
    store.tell(0, State.INFEASIBLE, out_of_memory=True)
    assert [each.out_of_memory for each in evidence_of(store, WHOLE)] == [True]


@pytest.mark.parametrize(
    ("study", "sentence"),
    [
        (changed("space", "model", to="dlinear"), "same model, got informer in .*earlier and dlinear here"),
        (changed("problem", "metric", to="mae"), "same metric, got mse_scaled in .*earlier and mae here"),
        (changed("problem", "horizon", to=48), "same horizon, got 24 in .*earlier and 48 here"),
        (changed("problem", "whole_numbers", to=True), "same --whole-numbers, got False in .*earlier and True here"),
        (changed("problem", "last_step_only", to=True), "same --last-step-only, got False in .*earlier and True here"),
        (changed("data", "sha256", to="beef"), r"same data \(sha256\), got f00d in .*earlier and beef here"),
        (changed("data", "test", "name", to="last"), "same stages, got holdout, test in .*earlier and holdout, last here"),
        (
            changed("data", "validation", 0, "score", 1, to=[50, 65]),
            "same rows of series b in stage holdout, got train 0:50, score 50:60 in .*earlier and train 0:50, score 50:65 here",
        ),
    ],
)
def test_a_study_whose_costs_mean_something_else_is_refused(tmp_path: Path, study: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"{sentence}; make them the same, or leave --warm-start out"):
        evidence_of(other(tmp_path), study)


def test_the_metric_loss_must_be_that_of_the_same_loss(tmp_path: Path) -> None:
    mae, default = changed("problem", "metric", to="loss"), changed("problem", "metric", to="loss")
    mae["space"]["search"]["train.loss"] = {"kind": "fixed", "value": "mae"}
    store = other(tmp_path, mae)
    assert evidence_of(store, mae) == []
    with pytest.raises(ValueError, match=r"same train.loss, got mae in .* and mse here"):
        evidence_of(store, default)


def test_what_differs_and_moves_no_cost_is_taken(tmp_path: Path) -> None:
    study = {**changed("problem", "dataset", to="elsewhere.csv"), "sampler": "qmc", "seed": 3, "name": "later"}
    assert evidence_of(other(tmp_path), study) == []


def test_what_was_learned_in_an_earlier_turn_does_not_count_any_more(tmp_path: Path) -> None:
    store = other(tmp_path)
    store.start()
    store.config(0, BASELINE, 0)
    store.begin(0)
    for epoch, (turn, value) in enumerate([(0, 0.5), (0, 0.2), (1, 0.9), (1, 0.7)], start=1):
        store.report(0, report(epoch, value, turn=turn))
    store.tell(0, State.FINISHED)
    assert evidence_of(store, WHOLE)[0].values == ((1, 0.5), (2, 0.2), (3, 0.9), (4, 0.7))


def test_stages_of_other_lengths_cannot_be_compared(tmp_path: Path) -> None:
    chained = changed("data", "chained", to=True)
    store = other(tmp_path, chained)
    assert evidence_of(store, chained) == []
    with pytest.raises(ValueError, match="--warm-start needs a study with the same --epochs, got 9"):
        evidence_of(store, {**chained, "budget": {"n_trials": 4, "epochs": 3}})
