from __future__ import annotations

import math
import statistics
from dataclasses import replace
from typing import TypeAlias

import pytest

from cluster.samplers import get
from cluster.samplers.base import Sampler
from cluster.samplers.tpe import Tpe
from cluster.schedulers.asha import Asha
from cluster.schedulers.none import NoStopping
from search_spaces.base import Config, Float, Space
from tests.cluster.simulator import simulate
from tuner.study.trial import State, Told

SPACE = Space("m", {"train.learning_rate": Float(0.0001, 1.0), "train.weight_decay": Float(0.0001, 1.0)})

Values: TypeAlias = tuple[tuple[int, float], ...]


def bowl(config: Config, epoch: int) -> float:
    return (float(str(config["train.learning_rate"])) - 0.3) ** 2 + (float(str(config["train.weight_decay"])) - 0.7) ** 2


@pytest.mark.parametrize("n_slots", [1, 4])
def test_it_finds_better_configs_than_random_search(n_slots: int) -> None:
    best = {
        name: statistics.median(
            simulate(get(name)(SPACE, seed), NoStopping(epochs=1), bowl, n_trials=30, epochs=1, n_slots=n_slots).best
            for seed in range(7)
        )
        for name in ("tpe", "random")
    }
    assert best["tpe"] < best["random"]


def proposals_after(state: State, value: float, low: State = State.FINISHED) -> list[float]:
    """Where TPE looks when low rates ended badly, and high rates ended like this."""
    sampler = get("tpe")(SPACE, 0)
    for number in range(1, 31):
        config = sampler.ask(number)
        high = float(str(config["train.learning_rate"])) > 0.5
        values = ((1, value),) if high else ((1, 1.2), (9, 1.0))
        sampler.tell(Told(number=number, config=config, state=state if high else low, values=values))
    return [float(str(sampler.ask(number)["train.learning_rate"])) for number in range(31, 46)]


def test_a_stopped_trial_does_not_count_as_finished_with_its_early_value() -> None:
    assert statistics.median(proposals_after(State.STOPPED, 0.9)) < 0.5
    assert statistics.median(proposals_after(State.FINISHED, 0.9)) > 0.5


@pytest.mark.parametrize("high", [((1, 0.1),), ((1, 2.0), (3, 1.1))])
def test_of_stopped_trials_those_that_came_far_count_as_better_then_those_of_low_value(high: Values) -> None:
    sampler = get("tpe")(SPACE, 0)
    for number in range(30):
        rate = 1 - (number + 1) / 31
        config: Config = {"train.learning_rate": rate, "train.weight_decay": 0.5}
        sampler.begin(number, config)
        values = high if rate > 0.5 else ((1, 2.0), (3, 1.0))
        sampler.tell(Told(number=number, config=config, state=State.STOPPED, values=values))
    assert statistics.median(float(str(sampler.ask(number)["train.learning_rate"])) for number in range(30, 40)) < 0.5


def test_a_finished_trial_counts_by_its_best_value_not_its_first() -> None:
    assert statistics.median(proposals_after(State.FINISHED, 1.1)) < 0.5


@pytest.mark.parametrize("low", [State.FINISHED, State.STOPPED])
def test_infeasible_regions_are_left_for_trials_that_finished_or_were_stopped(low: State) -> None:
    assert statistics.median(proposals_after(State.INFEASIBLE, 0.1, low)) < 0.5


def test_failed_trials_teach_nothing() -> None:
    with_failures, without = get("tpe")(SPACE, 0), get("tpe")(SPACE, 0)
    for number in range(1, 15):
        config = without.ask(number)
        with_failures.begin(number, config)
        for sampler in (with_failures, without):
            sampler.tell(Told(number=number, config=config, state=State.FINISHED, values=((1, bowl(config, 1)),)))
        failed = with_failures.ask(100 + number)
        with_failures.tell(Told(number=100 + number, config=failed, state=State.FAILED, values=()))
    assert with_failures.ask(15) == without.ask(15)


def test_fewer_trials_than_by_chance_fall_where_training_diverges() -> None:
    def diverging(config: Config, epoch: int) -> float:
        return math.inf if float(str(config["train.learning_rate"])) > 0.6 else bowl(config, epoch) + 1 / epoch

    shares = []
    for seed in range(5):
        trace = simulate(get("tpe")(SPACE, seed), Asha(epochs=9), diverging, n_trials=60, epochs=9, n_slots=2)
        shares.append(statistics.mean(trace.state(number) is State.INFEASIBLE for number in range(20, 60)))
    assert statistics.median(shares) < 0.3


def test_a_config_from_elsewhere_is_learnt_from() -> None:
    sampler = get("tpe")(SPACE, 0)
    for number in range(30):
        config: Config = {"train.learning_rate": (number + 1) / 31, "train.weight_decay": 0.5}
        sampler.begin(number, config)
        value = abs(number / 30 - 0.8)
        sampler.tell(Told(number=number, config=config, state=State.FINISHED, values=((1, value),)))
    assert statistics.median(float(str(sampler.ask(number)["train.learning_rate"])) for number in range(30, 40)) > 0.6


def test_a_proposal_depends_on_what_is_running() -> None:
    idle, busy = get("tpe")(SPACE, 0), get("tpe")(SPACE, 0)
    for sampler in (idle, busy):
        for number in range(1, 15):
            config = sampler.ask(number)
            sampler.tell(Told(number=number, config=config, state=State.FINISHED, values=((1, bowl(config, 1)),)))
    for number in range(15, 25):
        busy.ask(number)
    assert idle.ask(25) != busy.ask(25)


def share_of_high_rates(seed: int, *, out_of_memory: bool) -> float:
    """Of proposals, after all trials were infeasible: those with low rates diverged, those with high ones did as given."""
    sampler = get("tpe")(SPACE, seed)
    for number in range(1, 13):
        rate = (number * 5 % 12 + 0.5) / 12
        config: Config = {"train.learning_rate": rate, "train.weight_decay": number / 13}
        lacked = rate > 0.5 and out_of_memory
        sampler.begin(number, config)
        sampler.tell(Told(number=number, config=config, state=State.INFEASIBLE, values=(), out_of_memory=lacked))
    return statistics.mean(float(str(sampler.ask(number)["train.learning_rate"])) > 0.5 for number in range(13, 21))


def test_what_runs_out_of_memory_is_left_even_for_what_diverges() -> None:
    constrained, plain = (
        statistics.mean(share_of_high_rates(seed, out_of_memory=out_of_memory) for seed in range(12))
        for out_of_memory in (True, False)
    )
    assert constrained < plain - 0.15


class Explicit(Tpe):
    """Says of each trial that has the memory that it has."""

    def tell(self, told: Told) -> None:
        if not told.out_of_memory:
            self._trials[told.number].set_constraint("memory", -1.0)
        super().tell(told)


@pytest.mark.parametrize("n_lacking", [0, 6])
def test_a_trial_that_breaks_no_constraint_needs_none(n_lacking: int) -> None:
    implicit, explicit = get("tpe")(SPACE, 3), Explicit(SPACE, 3)
    for number in range(1, 25):
        config = implicit.ask(number)
        assert explicit.ask(number) == config
        told = Told(number=number, config=config, state=State.FINISHED, values=((1, bowl(config, 1)),))
        if number % 4 == 0:
            told = replace(told, state=State.INFEASIBLE, out_of_memory=number // 4 <= n_lacking)
        for sampler in (implicit, explicit):
            sampler.tell(told)


def with_evidence(n: int) -> Sampler:
    sampler = get("tpe")(SPACE, 0)
    for number in range(-1, -1 - n, -1):
        config: Config = {"train.learning_rate": -number / 12, "train.weight_decay": 0.5}
        sampler.begin(number, config)
        sampler.tell(Told(number=number, config=config, state=State.STOPPED, values=((1, -number / 12),)))
    return sampler


def test_trials_of_another_study_take_the_place_of_the_random_start() -> None:
    by_chance = get("tpe")(SPACE, 0).ask(1)
    assert with_evidence(9).ask(1) == by_chance
    assert with_evidence(10).ask(1) != by_chance


def test_what_was_never_begun_cannot_end() -> None:
    sampler = get("tpe")(SPACE, 0)
    told = Told(number=3, config=sampler.ask(3), state=State.FAILED, values=())
    sampler.tell(told)
    with pytest.raises(AssertionError):
        sampler.tell(told)
    with pytest.raises(AssertionError):
        sampler.tell(replace(told, number=4))
