"""What every sampler keeps to."""

from __future__ import annotations

import random
import statistics
import subprocess
import sys

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


@samplers
@pytest.mark.parametrize("seed", range(8))
def test_a_sampler_rebuilt_from_configs_goes_on_as_the_old_one(name: str, seed: int) -> None:
    n_running = 6
    old, rebuilt = get(name)(SPACE, seed), get(name)(SPACE, seed)
    configs = [BASELINE]
    old.begin(0, BASELINE)
    for number in range(1, 30):
        configs.append(old.ask(number))
        if number >= n_running:
            finish(old, number - n_running, configs[number - n_running], curve(configs[number - n_running], 1))
    for number, config in enumerate(configs):
        rebuilt.begin(number, config)
        if number >= n_running:
            finish(rebuilt, number - n_running, configs[number - n_running], curve(configs[number - n_running], 1))
    assert [rebuilt.ask(number) for number in range(30, 33)] == [old.ask(number) for number in range(30, 33)]


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
def test_every_state_can_be_told(name: str) -> None:
    sampler = get(name)(SPACE, 0)
    for number, state in enumerate((State.FINISHED, State.STOPPED, State.INFEASIBLE, State.FAILED), start=1):
        config = sampler.ask(number)
        values = ((1, 0.5),) if state in (State.FINISHED, State.STOPPED) else ()
        sampler.tell(Told(number=number, config=config, state=state, values=values))
    assert sampler.ask(5)
