from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import search_spaces
from search_spaces.base import Ordinal
from tuner.study.resuming import changes, resumed
from tuner.study.study import Budget, Limits, Problem, Resources, Study

BEFORE = Study(
    name="mine",
    space_name="dlinear",
    space=search_spaces.get("dlinear"),
    problem=Problem(dataset="synthetic", horizon=12, metric="mse_scaled"),
    budget=Budget(n_trials=20, epochs=9, time_s=3600.0),
    sampler="tpe",
    scheduler="asha",
    seed=0,
    runs=Path("runs"),
    resources=Resources(),
    limits=Limits(),
)


def resume(**words: Any) -> Study:
    return resumed(BEFORE, words, used_s=100.0)


def test_a_study_without_words_goes_on_as_it_was() -> None:
    assert resume() == BEFORE
    assert changes(BEFORE, resume()) == []


def test_a_study_comes_back_from_json() -> None:
    assert Study.from_json(BEFORE.to_json(), Path("runs/mine")) == BEFORE


@pytest.mark.parametrize(
    ("words", "budget"),
    [
        ({"trials": "+5"}, Budget(n_trials=25, epochs=9, time_s=3600.0)),
        ({"trials": "5"}, Budget(n_trials=5, epochs=9, time_s=3600.0)),
        ({"time": "+2h"}, Budget(n_trials=20, epochs=9, time_s=3 * 3600.0)),
        ({"time": "2h"}, Budget(n_trials=20, epochs=9, time_s=2 * 3600.0)),
        ({"epochs": 30}, Budget(n_trials=20, epochs=30, time_s=3600.0)),
    ],
)
def test_more_is_added_to_what_there_was(words: dict[str, Any], budget: Budget) -> None:
    assert resume(**words).budget == budget


def test_more_time_counts_from_what_was_used_where_that_was_more_than_the_limit() -> None:
    assert resumed(BEFORE, {"time": "+30s"}, used_s=4000.0).budget.time_s == 4030.0


def test_more_time_where_there_was_no_limit_counts_from_what_was_used() -> None:
    endless = replace(BEFORE, budget=Budget(n_trials=20, epochs=9))
    assert resumed(endless, {"time": "+1h"}, used_s=100.0).budget.time_s == 3700.0


def test_a_key_that_is_set_is_fixed_in_the_space_that_there_was() -> None:
    space = resume(settings=["data.lookback=96"]).space
    assert space.search["data.lookback"] == 96
    assert isinstance(BEFORE.space.search["data.lookback"], Ordinal)


def test_what_changes_is_named() -> None:
    after = resume(trials="+5", time="+1h", scheduler="none", settings=["model.individual=true"], trial_timeout="5m", retries=0)
    assert changes(BEFORE, after) == [
        "--scheduler asha -> none",
        "--trials 20 -> 25",
        "--time 3600s -> 7200s",
        "--retries 2 -> 0",
        "--trial-timeout none -> 300s",
        "model.individual False | True -> True",
    ]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"dataset": "etth1"}, "has its own --dataset, which cannot change"),
        ({"seed": 1}, "has its own --seed"),
        ({"folds_file": Path("x")}, "has its own --folds-file"),
        ({"warm_start": Path("x")}, "has its own --warm-start"),
        ({"epochs": 3}, "--epochs can only grow on a resume, the study has 9, got 3"),
        ({"space": "informer"}, "--space must be one for the model of the study, dlinear, got 'informer'"),
        ({"trials": "more"}, r"--trials takes a whole number such as 40, or \+20 for so many more"),
        ({"time": "+soon"}, "--time takes a duration"),
        ({"settings": ["model.width=3"]}, "no key of dlinear"),
        ({"retries": -1}, "--retries must be 0 or more"),
    ],
)
def test_what_cannot_change_is_refused_in_one_sentence(words: dict[str, Any], sentence: str) -> None:
    with pytest.raises((ValueError, LookupError), match=sentence):
        resume(**words)


IN_TURN = replace(BEFORE, problem=replace(BEFORE.problem, n_stages=3))
"""Three epochs for each of three stages."""


def test_the_epochs_of_a_stage_may_be_given_again() -> None:
    assert resumed(IN_TURN, {"epochs": 3}, used_s=0.0) == IN_TURN


@pytest.mark.parametrize("epochs", [2, 4, 9])
def test_the_epochs_of_a_stage_cannot_change(epochs: int) -> None:
    with pytest.raises(ValueError, match="--epochs cannot change on a resume with --protocol continual"):
        resumed(IN_TURN, {"epochs": epochs}, used_s=0.0)


def test_without_stages_nothing_can_be_replayed_after_a_resume_either() -> None:
    settings = ["train.replay=exact"]
    with pytest.raises(ValueError, match=r"train\.replay needs stages to replay"):
        resume(settings=settings)
    assert resumed(IN_TURN, {"settings": settings}, used_s=0.0).space.fixed["train.replay"] == "exact"
