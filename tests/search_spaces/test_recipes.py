from __future__ import annotations

import pytest

import search_spaces
from tests.search_spaces.sampling import sample
from tuner.study.schema import defaults_of

# Lookback, start token, factor by horizon: the multivariate ETTh1 script of the authors' repository.
OFFICIAL = {24: (48, 48, 3), 48: (96, 48, 5), 168: (168, 168, 5), 336: (168, 168, 5), 720: (336, 336, 5)}


@pytest.mark.parametrize("horizon", OFFICIAL)
def test_the_papers_baseline_is_the_official_recipe(horizon: int) -> None:
    config = search_spaces.get("informer_paper").baseline_config(horizon, defaults_of("informer"))
    lookback, start = config["data.lookback"], config["model.start_fraction"]
    assert isinstance(lookback, int)
    assert isinstance(start, float)
    assert (lookback, round(start * lookback), config["model.factor"]) == OFFICIAL[horizon]
    expected = {
        "model.n_heads": 8,
        "model.head_width": 64,
        "model.feedforward": 2048,
        "model.n_encoder_layers": 2,
        "model.n_decoder_layers": 1,
        "model.dropout": 0.05,
        "model.attention": "prob",
        "model.distil": True,
        "model.norm": "none",
        "train.learning_rate": 1e-4,
        "train.schedule": "halve",
        "train.batch_size": 32,
        "train.optimizer": "adam",
    }
    assert {key: config[key] for key in expected} == expected


@pytest.mark.parametrize("horizon", [24, 48, 168, 336])
def test_the_small_baseline_keeps_the_official_windows(horizon: int) -> None:
    config = search_spaces.get("informer").baseline_config(horizon, defaults_of("informer"))
    lookback, start = config["data.lookback"], config["model.start_fraction"]
    assert isinstance(lookback, int)
    assert isinstance(start, float)
    assert (lookback, round(start * lookback), config["model.factor"]) == OFFICIAL[horizon]


def test_the_small_space_stays_small() -> None:
    space = search_spaces.get("informer")
    for seed in range(200):
        config = sample(space, seed)
        heads, width = config["model.n_heads"], config["model.head_width"]
        assert isinstance(heads, int)
        assert isinstance(width, int)
        assert heads * width <= 64
        assert config["train.windows_per_epoch"] == 2048


def test_momentum_belongs_to_sgd_alone() -> None:
    for seed in range(50):
        config = sample(search_spaces.get("dlinear"), seed)
        assert ("train.momentum" in config) == (config["train.optimizer"] == "sgd")
