from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.tuner.results.runs import BASELINE, STUDY, Clock
from tuner.results.continual import ErrorMatrix, error_matrix
from tuner.results.store import RunStore, best_row
from tuner.results.summary import markdown, summarise
from tuner.study.trial import Report, State

NAMES = ("one", "two", "three")


def report(epoch: int, turn: int, *values: float) -> Report:
    return Report(
        stage=NAMES[turn], epoch=epoch, step=epoch, turn=turn, stages=dict(zip(NAMES, values, strict=True)),
        metrics={"mse_scaled": sum(values) / 3}, weights_sha256="", best=b"b", last=b"l",
    )  # fmt: skip


CURVE = [report(1, 0, 0.9, 1, 1), report(2, 0, 0.2, 0.4, 0.6), report(3, 1, 0.5, 0.3, 0.7), report(4, 2, 0.6, 0.5, 0.1),
         report(5, 2, 0.9, 0.9, 0.9)]  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    """The baseline learns all stages; trial 1 is better as long as it goes, and is stopped before the last."""
    store = RunStore.create(tmp_path / "run", Clock())
    data: dict[str, Any] = {"validation": [{"name": name} for name in NAMES], "n_rows": 9, "channels": ["a"]}
    store.write_study({**STUDY, "problem": {**STUDY["problem"], "n_stages": 3}, "data": data})
    store.start(scheduler={})
    for number, curve, state in ((0, CURVE, State.FINISHED), (1, [report(1, 0, 0.1, 0.1, 0.1)], State.STOPPED)):
        store.config(number, BASELINE, 0)
        store.begin(number)
        for said in curve:
            store.report(number, said)
        store.tell(number, state)
    return store


def test_a_trial_is_worth_what_its_best_network_of_the_last_stage_is(store: RunStore) -> None:
    row = store.row(0)
    assert (row.turn, row.best_epoch, row.value) == (2, 4, pytest.approx(0.4))


def test_a_trial_that_has_learned_more_stages_comes_first(store: RunStore) -> None:
    best = best_row(store.rows())
    assert best is not None
    assert best.number == 0


def test_the_matrix_has_a_row_for_each_stage_that_was_learned(store: RunStore) -> None:
    matrix = error_matrix("mse_scaled", NAMES, store.row(0), store.events())
    assert matrix is not None
    assert matrix.values == ((0.2, 0.4, 0.6), (0.5, 0.3, 0.7), (0.6, 0.5, 0.1))
    assert matrix.mean == pytest.approx(0.4)
    assert matrix.forgetting == pytest.approx(((0.6 - 0.2) + (0.5 - 0.3)) / 2)


def test_what_was_forgotten_of_a_metric_that_should_be_high_is_how_much_it_fell() -> None:
    assert ErrorMatrix(metric="corr", stages=NAMES, values=((0.9, 0, 0), (0.6, 0.8, 0))).forgetting == pytest.approx(0.3)


def test_a_trial_that_was_stopped_in_the_first_stage_has_forgotten_nothing_yet(store: RunStore) -> None:
    matrix = error_matrix("mse_scaled", NAMES, store.row(1), store.events())
    assert matrix is not None
    assert (len(matrix.values), matrix.forgetting) == (1, None)


def test_the_summary_shows_what_was_learned_and_forgotten(store: RunStore) -> None:
    text = markdown(summarise(store))
    assert "on the mean of 3 stages, learned in turn" in text
    assert "| after two | 0.5000 | 0.3000 | 0.7000 |" in text
    assert "| forgetting of those before it | 0.3000 |" in text
