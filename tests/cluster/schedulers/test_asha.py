from __future__ import annotations

import pytest

from cluster.schedulers.asha import Asha
from cluster.schedulers.base import Rung
from tests.contract.test_schedulers import study
from tuner.study.trial import Decision, State


def test_rungs_lie_at_powers_of_the_reduction() -> None:
    assert [rung.epoch for rung in Asha(epochs=30, grace_epochs=2, reduction=3).rungs()] == [2, 6, 18, 30]


def test_one_in_so_many_goes_on() -> None:
    scheduler = Asha(epochs=9)
    answers = [scheduler.decide(number, 1, value) for number, value in enumerate([5, 4, 3, 6, 7, 3.5, 9, 1], start=1)]
    assert [answer is Decision.CONTINUE for answer in answers] == [True, True, True, False, False, True, False, True]


def test_the_first_at_a_rung_compete_with_the_baseline() -> None:
    scheduler = Asha(epochs=9)
    scheduler.decide(0, 1, 5.0)
    assert [scheduler.decide(1, 1, 6.0), scheduler.decide(2, 1, 4.0)] == [Decision.STOP, Decision.CONTINUE]


def test_the_table_shows_who_came_who_went_and_what_passes() -> None:
    scheduler = Asha(epochs=3)
    for number, value in enumerate([5.0, 6.0, 4.0]):
        scheduler.decide(number, 1, value)
    scheduler.decide(0, 3, 2.0)
    assert scheduler.rungs() == [
        Rung(epoch=1, n_reached=3, n_stopped=1, cutoff=4.0),
        Rung(epoch=3, n_reached=1, n_stopped=0, cutoff=None),
    ]


def test_a_grace_as_long_as_the_budget_stops_nobody() -> None:
    assert [rung.epoch for rung in Asha(epochs=3, grace_epochs=3).rungs()] == [3]


def test_nobody_is_stopped_before_the_grace() -> None:
    scheduler = Asha(epochs=9, grace_epochs=3)
    assert {scheduler.decide(number, 1, float(number)) for number in range(20)} == {Decision.CONTINUE}


def test_equal_values_go_on_together() -> None:
    scheduler = Asha(epochs=9)
    assert {scheduler.decide(number, 1, 1.0) for number in range(1, 9)} == {Decision.CONTINUE}


def test_the_best_of_all_is_found_at_a_third_of_the_cost_or_less() -> None:
    stopping, full = study("asha"), study("none")
    assert sum(told.state is State.STOPPED for told in stopping.told) > 20
    assert stopping.n_epochs <= full.n_epochs / 3
    assert stopping.best == full.best


def test_the_best_trial_of_all_goes_to_the_end() -> None:
    trace = study("asha")
    best = min(trace.configs, key=lambda number: float(str(trace.configs[number]["train.learning_rate"])))
    assert trace.state(best) is State.FINISHED


@pytest.mark.parametrize("options", [{"reduction": 1}, {"grace_epochs": 0}])
def test_an_impossible_ladder_is_refused(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="reduction of 2 or more and grace of 1 or more"):
        Asha(epochs=9, **options)
