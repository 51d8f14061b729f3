"""Proves before anything starts that configs build and train on the data: each takes one step on two windows."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from datasets.windows.loaders import WindowSource
from datasets.windows.prepared import PreparedData
from datasets.windows.windowing import score_origins, train_origins
from search_spaces.base import Config
from tuner.training.trial import build


def check_configs(model: str, configs: Iterable[Config], data: PreparedData) -> None:
    """Builds each config and takes a forward and a backward pass.

    Raises:
        ValueError: the model refuses a config, or the data is too short for it; the message says which.
    """
    for config in configs:
        try:
            built, head, _, data_config = build(model, config, data, seed=0)
            source = WindowSource(data, lookback=data_config.lookback, horizon=data.horizon)
            score_origins(data.stages[0], data.offsets, data.horizon)
            origins = train_origins(data.stages[0], data.offsets, data_config.lookback, data.horizon)
        except ValueError as error:
            raise ValueError(f"{error} (config: {describe(config)})") from error
        batch = source.batch(torch.as_tensor(origins[:2]))
        torch.autograd.backward(built.training_loss(batch, head, None).mean())


def describe(config: Config) -> str:
    """A config in one line."""
    return ", ".join(f"{key}={'none' if value is None else value}" for key, value in config.items())
