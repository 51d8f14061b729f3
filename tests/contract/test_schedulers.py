"""What every scheduler keeps to."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster.samplers import get as get_sampler
from cluster.samplers import names as get_sampler_names
from cluster.schedulers import get, names
from search_spaces.base import Config, Float, Space
from tests.cluster.simulator import Trace, simulate
from tuner.study.trial import Decision, State

SPACE = Space("m", {"train.learning_rate": Float(0.0, 1.0)})


def curve(config: Config, epoch: int) -> float:
    return float(str(config["train.learning_rate"])) + 1 / epoch


def study(name: str, n_slots: int = 4) -> Trace:
    return simulate(
        get_sampler("random")(SPACE, 3), get(name)(epochs=9), curve, n_trials=30, epochs=9, n_slots=n_slots,
        baseline={"train.learning_rate": 0.99}, epoch_s=lambda config: 1 + float(str(config["train.learning_rate"])),
    )  # fmt: skip


@pytest.mark.parametrize("name", names())
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31 - 1), n_slots=st.integers(1, 6))
def test_a_scheduler_rebuilt_from_reports_decides_as_the_one_that_heard_them(name: str, seed: int, n_slots: int) -> None:
    old, rebuilt = (get(name)(epochs=9) for _ in range(2))
    trace = simulate(get_sampler("random")(SPACE, seed), old, curve, n_trials=20, epochs=9, n_slots=n_slots)
    assert all(rebuilt.decide(number, epoch, value) is decision for number, epoch, value, decision in trace.order)
    assert rebuilt.rungs() == old.rungs()


def test_the_schedulers_are_found_by_name() -> None:
    assert names() == ["asha", "none"]
    with pytest.raises(LookupError, match="asha, none"):
        get("base")


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("sampler", get_sampler_names())
def test_with_one_slot_a_whole_study_repeats(name: str, sampler: str) -> None:
    one, two = (simulate(get_sampler(sampler)(SPACE, 5), get(name)(epochs=9), curve, n_trials=16, epochs=9) for _ in range(2))
    assert (one.configs, one.order, one.told) == (two.configs, two.order, two.told)


@pytest.mark.parametrize("name", names())
def test_trial_0_is_never_stopped(name: str) -> None:
    assert study(name).state(0) is State.FINISHED


@pytest.mark.parametrize("name", names())
def test_a_trial_at_its_budget_is_not_stopped(name: str) -> None:
    assert all(decision is Decision.CONTINUE for _, epoch, _, decision in study(name).order if epoch == 9)


@pytest.mark.parametrize("name", names())
def test_the_rungs_count_every_trial_that_came(name: str) -> None:
    scheduler = get(name)(epochs=9)
    trace = simulate(get_sampler("random")(SPACE, 3), scheduler, curve, n_trials=30, epochs=9, n_slots=4)
    for rung in scheduler.rungs():
        assert rung.n_reached == sum(epoch == rung.epoch for _, epoch, _, _ in trace.order)
        assert rung.n_stopped == sum(e == rung.epoch and d is Decision.STOP for _, e, _, d in trace.order)
