"""What every search space promises, checked for each by name."""

from __future__ import annotations

import json

import pytest
import torch

import models
import search_spaces
from models.base import WindowShape
from models.heads import make_head
from search_spaces.base import Config, Space, same
from tests.models.batches import make_batch
from tests.models.originals import skip_unless_installed
from tests.search_spaces.sampling import sample
from tuner.study.schema import defaults_of, split_config

every_space = pytest.mark.parametrize("name", search_spaces.names())


def step(space: Space, config: Config, horizon: int) -> None:
    """Builds a config's model and takes a forward and a backward pass."""
    skip_unless_installed(space.model)
    arguments, train, data = split_config(config)
    head = make_head(train.loss)
    shape = WindowShape(lookback=data.lookback, horizon=horizon, n_targets=2, n_known=4, n_outputs=head.n_outputs)
    model, batch = models.get(space.model)(shape, **arguments), make_batch(shape, n_windows=2)
    loss = model.training_loss(batch, head).mean()
    torch.autograd.backward(loss)
    assert torch.isfinite(loss)


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
    for horizon in (1, *list(space.recipes)[:1]):
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
    start.update({key: value for key, value in small.items() if key in start})
    for key, domain in space.domains.items():
        for value in getattr(domain, "values", None) or (domain.low, domain.high):  # type: ignore[attr-defined]
            split_config({**start, key: value})
            if key.startswith("model."):
                step(space, {**start, key: value}, horizon=1)


@every_space
def test_what_a_baseline_changes_the_search_can_reach(name: str) -> None:
    space = search_spaces.get(name)
    defaults = defaults_of(space.model)
    for source in (space.baseline, *space.recipes.values()):
        assert [key for key, value in source.items() if key not in space.search and not same(value, defaults[key])] == []
