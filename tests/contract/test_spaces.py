"""What every search space promises, checked for each by name."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache

import pytest
import torch

import search_spaces
from datasets.config import by_fractions
from datasets.windows.lags import source_lags
from datasets.windows.prepare import prepare
from datasets.windows.prepared import PreparedData
from datasets.windows.splits import holdout
from models.heads import make_head
from search_spaces.base import Config, Space, Value, same
from tests.datasets.panels import make_panel
from tests.models.batches import make_batch
from tests.models.originals import skip_unless_installed
from tests.search_spaces.sampling import sample
from tuner.study.schema import defaults_of, ends_of, split_config
from tuner.training.network import build, window_shape

every_space = pytest.mark.parametrize("name", search_spaces.names())
BUILT = ("model.", "train.loss", "train.rank", "train.quantile_levels", "data.lookback", "data.lags")
"""Keys that make another network, or another shape of its windows."""


@cache
def hourly() -> PreparedData:
    return prepare(make_panel((200,)), [holdout([by_fractions(200, 1)])], horizon=1)


def step(space: Space, config: Config, horizon: int) -> None:
    """Builds a config's network and takes a forward and a backward pass."""
    skip_unless_installed(space.model)
    data = replace(hourly(), horizon=horizon)
    network, train, data_config = build(space.model, config, data, seed=0)
    head = make_head(train.loss, quantile_levels=train.quantile_levels, rank=train.rank)
    assert (network.head.n_outputs, network.model.shape.lags) == (head.n_outputs, source_lags(data_config, data.frequency))
    loss = network.loss(make_batch(window_shape(data_config, data, network.head.n_outputs), n_windows=2))
    torch.autograd.backward(loss)
    assert torch.isfinite(loss)


def moved(space: Space, config: Config, key: str, value: Value) -> Config:
    """The config with a key at a value, its parents at values under which it exists, their other children at the lower ends of
    their domains, and no key that does not exist then."""
    forced: Config = {key: value}
    for name, domain in reversed(space.domains.items()):
        for parent, wanted in domain.when.items() if name in forced else ():
            forced.setdefault(parent, wanted[0] if isinstance(wanted, tuple) else wanted)
    whole, found = {**{name: ends_of(domain)[0] for name, domain in space.domains.items()}, **config, **forced}, Config()
    for name in (*space.search, *(name for name in config if name not in space.search)):
        if space.active(name, found):
            found[name] = whole[name]
    return found


@every_space
def test_a_space_comes_back_from_json(name: str) -> None:
    space = search_spaces.get(name)
    back = Space.from_json(json.loads(json.dumps(space.to_json())))
    assert back == space
    assert {key: dict(domain.when) for key, domain in back.domains.items()} == {
        key: dict(domain.when) for key, domain in space.domains.items()
    }


@every_space
def test_baseline_and_recipes_build_and_train(name: str) -> None:
    space = search_spaces.get(name)
    for horizon in (1, *space.recipes):
        step(space, space.baseline_config(horizon, defaults_of(space.model)), horizon)


@every_space
@pytest.mark.parametrize("seed", [0, 1, 2, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(3, 20))])
def test_a_sampled_config_lies_in_the_space_builds_and_trains(name: str, seed: int) -> None:
    space = search_spaces.get(name)
    config = sample(space, seed)
    assert not list(space.problems_of(config))
    step(space, config, horizon=5)


@every_space
def test_the_model_of_a_space_accepts_both_ends_of_every_domain(name: str) -> None:
    space = search_spaces.get(name)
    small = {"model.n_heads": 1, "model.head_width": 2, "model.feedforward": 4, "data.lookback": 48}
    start = space.baseline_config(1, defaults_of(space.model))
    for key, domain in space.domains.items():
        for value in ends_of(domain):
            config = moved(space, start, key, value)
            assert config[key] == value
            assert not list(space.problems_of(config))
            split_config(config)
            if key.startswith(BUILT):
                step(space, {**config, **{name: size for name, size in small.items() if name in config and name != key}}, 1)


@every_space
def test_what_a_baseline_changes_the_search_can_reach(name: str) -> None:
    space = search_spaces.get(name)
    defaults = defaults_of(space.model)
    for source in (space.baseline, *space.recipes.values()):
        assert [key for key, value in source.items() if key not in space.search and not same(value, defaults[key])] == []
