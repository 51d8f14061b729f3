"""What every sampler keeps to."""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
from typing import TypeAlias

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cluster.samplers import get, names
from cluster.samplers.base import Sampler
from cluster.schedulers.none import NoStopping
from search_spaces.base import Choice, Config, Domain, Float, Int, Ordinal, Space, Value
from tests.cluster.simulator import simulate
from tuner.study.trial import State, Told

SPACE = Space(
    "m",
    {
        "train.optimizer": Choice("adam", "sgd"),
        "train.momentum": Float(0.5, 0.99, when={"train.optimizer": "sgd"}),
        "train.learning_rate": Float(1e-5, 1e-1, log=True),
        "model.n_layers": Int(1, 4),
        "model.width": Ordinal(16, 32, 64, 128),
        "model.norm": Choice("none", "last", "revin"),
        "train.windows_per_epoch": 640,
    },
)
BASELINE: Config = {"train.optimizer": "adam", "train.learning_rate": 1e-3, "model.n_layers": 2, "model.width": 32}

samplers = pytest.mark.parametrize("name", names())


def curve(config: Config, epoch: int) -> float:
    return abs(np.log10(float(str(config["train.learning_rate"]))) + 3) + float(str(config["model.n_layers"])) / 10 + 1 / epoch


def finish(sampler: Sampler, number: int, config: Config, value: float) -> None:
    sampler.tell(Told(number=number, config=config, state=State.FINISHED, values=((1, value),)))


def experienced(name: str, space: Space, seed: int) -> Sampler:
    """A sampler past its random start, with one trial still running."""
    sampler = get(name)(space, seed)
    for number in range(1, 14):
        finish(sampler, number, sampler.ask(number), float(number % 5))
    sampler.ask(14)
    return sampler


End: TypeAlias = tuple[State, tuple[tuple[int, float], ...], bool]
"""State, values, whether memory was lacking."""

LISTED: list[Value] = ["a", "b", 0, 1, 2.5, None, True, False]


@st.composite
def spaces(draw: st.DrawFn) -> Space:
    """Spaces of two to six keys; some depend on a Choice before them, some are fixed."""
    search: dict[str, Domain | Value] = {}
    parents: dict[str, Choice] = {}
    for number in range(draw(st.integers(2, 6))):
        when: dict[str, Value] = {}
        if parents and draw(st.booleans()):
            parent = draw(st.sampled_from(sorted(parents)))
            when = {parent: draw(st.sampled_from(parents[parent].values))}
        low, log = draw(st.integers(1, 50)), draw(st.booleans())
        high = low + draw(st.integers(1, 1000))
        listed = Choice(*draw(st.permutations(LISTED))[: draw(st.integers(2, 4))], when=when)
        numbers = sorted(draw(st.sets(st.integers(1, 512), min_size=2, max_size=5)))
        kinds = [Float(low / 7, high / 7, log=log, when=when), Int(low, high, log=log, when=when), Ordinal(*numbers, when=when)]
        key = f"model.key{number}"
        search[key] = draw(st.sampled_from([*kinds, listed, low]))
        if search[key] is listed:
            parents[key] = listed
    return Space("m", search)


def test_the_samplers_are_found_by_name() -> None:
    assert names() == ["qmc", "random", "tpe"]
    with pytest.raises(LookupError, match="qmc, random, tpe"):
        get("optuna_base")


def test_listing_them_loads_no_optuna() -> None:
    code = "import sys, cluster.samplers; cluster.samplers.names(); sys.exit('optuna' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@samplers
def test_the_same_history_gives_the_same_proposals(name: str) -> None:
    one, two = (
        simulate(get(name)(SPACE, 7), NoStopping(epochs=2), curve, n_trials=16, epochs=2, n_slots=3, baseline=BASELINE)
        for _ in range(2)
    )
    assert one.configs == two.configs


VALUES = st.floats(0, 10)
ENDS = st.one_of(
    st.builds(lambda value: (State.FINISHED, ((1, value + 1), (2, value)), False), VALUES),
    st.builds(
        lambda n, value: (State.STOPPED, tuple((i, value + n - i) for i in range(1, n + 1)), False), st.integers(1, 3), VALUES
    ),
    st.sampled_from([(State.INFEASIBLE, (), False), (State.INFEASIBLE, (), True), (State.FAILED, (), False)]),
)


@samplers
@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 2**31 - 1),
    n_running=st.integers(1, 6),
    evidence=st.lists(ENDS, max_size=12),
    ends=st.lists(st.tuples(st.integers(0, 5), ENDS), min_size=12, max_size=30),
)
def test_a_sampler_rebuilt_from_a_history_goes_on_as_the_one_that_lived_it(
    name: str, seed: int, n_running: int, evidence: list[End], ends: list[tuple[int, End]]
) -> None:
    old, rebuilt, source = (get(each)(SPACE, seed) for each in (name, name, "random"))
    configs: dict[int, Config] = {-1 - i: source.ask(i) for i in range(len(evidence))} | {0: BASELINE}
    running = []

    def begin(number: int) -> None:
        if number > 0:
            configs[number] = old.ask(number)
        else:
            old.begin(number, configs[number])
        rebuilt.begin(number, configs[number])
        running.append(number)

    def end(place: int, how: End) -> None:
        number = running.pop(place % len(running))
        told = Told(number=number, config=configs[number], state=how[0], values=how[1], out_of_memory=how[2])
        old.tell(told), rebuilt.tell(told)

    for i, how in enumerate(evidence):
        begin(-1 - i)
        end(0, how)
    for number, (place, how) in enumerate(ends):
        begin(number)
        if len(running) == n_running:
            end(place, how)
    last = len(ends)
    assert [rebuilt.ask(number) for number in range(last, last + 3)] == [old.ask(number) for number in range(last, last + 3)]


@samplers
@settings(max_examples=25, deadline=None)
@given(before=spaces(), now=spaces(), seed=st.integers(0, 2**31 - 1))
def test_configs_of_another_space_are_taken_so_far_as_this_one_holds_them(
    name: str, before: Space, now: Space, seed: int
) -> None:
    other, sampler = get("random")(before, seed), get(name)(now, seed)
    for number in range(12):
        config = other.ask(number)
        sampler.begin(number, config)
        finish(sampler, number, config, float(number % 5))
    for number in range(12, 15):
        assert not list(now.problems_of(sampler.ask(number)))


@samplers
@settings(max_examples=15, deadline=None)
@given(space=spaces(), seed=st.integers(0, 2**31 - 1))
def test_a_proposal_lies_in_the_space_and_holds_just_the_active_keys(name: str, space: Space, seed: int) -> None:
    sampler = experienced(name, space, seed)
    for number in range(15, 20):
        config = sampler.ask(number)
        assert not list(space.problems_of(config))
        assert list(config) == [key for key in space.search if space.active(key, config)]


@samplers
def test_fixed_keys_are_in_every_proposal(name: str) -> None:
    assert get(name)(SPACE, 0).ask(3)["train.windows_per_epoch"] == 640


@samplers
def test_a_space_without_domains_is_one_config(name: str) -> None:
    assert experienced(name, Space("m", {"model.width": 3}), 0).ask(15) == {"model.width": 3}


@samplers
@pytest.mark.parametrize("key", ["model.width", "model.norm", "model.n_layers", "train.optimizer"])
def test_listed_values_come_about_equally_often_before_anything_is_known(name: str, key: str) -> None:
    sampler = get(name)(SPACE, 0)
    drawn = [sampler.ask(number)[key] for number in range(1, 201)]
    assert len(set(drawn)) == {"model.norm": 3, "train.optimizer": 2}.get(key, 4)
    assert min(drawn.count(value) for value in drawn) > 0.6 * 200 / len(set(drawn))


@samplers
def test_a_logarithmic_range_is_even_in_the_logarithm(name: str) -> None:
    sampler = get(name)(SPACE, 0)
    rates = [float(str(sampler.ask(number)["train.learning_rate"])) for number in range(1, 201)]
    assert 3e-4 < statistics.median(rates) < 3e-3


@samplers
def test_other_seeds_give_other_proposals(name: str) -> None:
    assert get(name)(SPACE, 0).ask(1) != get(name)(SPACE, 1).ask(1)


@samplers
def test_other_numbers_give_other_proposals(name: str) -> None:
    sampler = get(name)(SPACE, 0)
    assert len({sampler.ask(number)["train.learning_rate"] for number in range(1, 21)}) == 20


@samplers
def test_global_generators_are_neither_used_nor_moved(name: str) -> None:
    def states() -> list[str]:
        return [str(random.getstate()), str(np.random.get_state()), str(torch.get_rng_state().tolist())]

    proposals = []
    for seed in (1, 2):
        random.seed(seed), np.random.seed(seed), torch.manual_seed(seed)
        before = states()
        proposals.append(experienced(name, SPACE, 0).ask(15))
        assert states() == before
    assert proposals[0] == proposals[1]


@samplers
def test_a_config_from_elsewhere_may_hold_what_the_space_could_not_draw(name: str) -> None:
    sampler = get(name)(SPACE, 0)
    config: Config = {**BASELINE, "model.width": 48, "train.momentum": 0.9, "model.elsewhere": "x"}
    sampler.begin(0, config)
    finish(sampler, 0, config, 1.0)
    assert not list(SPACE.problems_of(sampler.ask(1)))


@samplers
def test_an_inactive_key_of_a_config_from_elsewhere_teaches_nothing(name: str) -> None:
    with_it, without = get(name)(SPACE, 0), get(name)(SPACE, 0)
    for number in range(12):
        config: Config = {**BASELINE, "train.learning_rate": 10 ** (-2 - number / 6)}
        with_it.begin(number, {**config, "train.momentum": 0.9})
        without.begin(number, config)
        for sampler in (with_it, without):
            finish(sampler, number, config, float(number))
    assert [with_it.ask(number) for number in range(12, 20)] == [without.ask(number) for number in range(12, 20)]


@samplers
def test_every_state_can_be_told(name: str) -> None:
    sampler = get(name)(SPACE, 0)
    for number, state in enumerate((State.FINISHED, State.STOPPED, State.INFEASIBLE, State.FAILED), start=1):
        config = sampler.ask(number)
        values = ((1, 0.5),) if state in (State.FINISHED, State.STOPPED) else ()
        sampler.tell(Told(number=number, config=config, state=state, values=values))
    assert sampler.ask(5)
