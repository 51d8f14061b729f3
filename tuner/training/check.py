"""Proves before anything starts that configs build and train on the data: each takes one step on two windows."""

from __future__ import annotations

from collections.abc import Iterable

import torch

from datasets.windows.loaders import WindowSource
from datasets.windows.prepared import PreparedData
from datasets.windows.windowing import score_origins, train_origins
from search_spaces.base import Config
from tuner.training.trial import build


class ModelBroken(RuntimeError):
    """A model's own code fails: no mistake of whoever runs it, so its traceback is kept."""


def check_accelerator(name: str) -> None:
    """Proves that training can run there.

    Raises:
        ValueError: it cannot.
    """
    there = {"cpu": True, "gpu": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there.get(name):
        usable = ", ".join(kind for kind, usable in there.items() if usable)
        raise ValueError(f"--accelerator must be one that this machine has ({usable}), got {name!r}")


def check_configs(model: str, configs: Iterable[Config], data: PreparedData) -> None:
    """Builds each config and takes a forward and a backward pass.

    Raises:
        ValueError: the model refuses a config, or the data is too short for it; the message says which.
        ModelBroken: the model's code fails; its error is the cause.
    """
    for config in configs:
        try:
            built, head, _, data_config = build(model, config, data, seed=0)
            source = WindowSource(data, lookback=data_config.lookback, horizon=data.horizon)
            score_origins(data.stages[0], data.offsets, data.horizon)
            origins = train_origins(data.stages[0], data.offsets, data_config.lookback, data.horizon)
            batch = source.batch(torch.as_tensor(origins[:2]))
            torch.autograd.backward(built.training_loss(batch, head, None).mean())
        except ValueError as error:
            raise ValueError(f"{error} (config: {describe(config)})") from error
        except Exception as error:
            raise ModelBroken(f"{model} cannot take a step with {describe(config)}") from error


def describe(config: Config) -> str:
    """A config in one line."""
    return ", ".join(f"{key}={'none' if value is None else value}" for key, value in config.items())
