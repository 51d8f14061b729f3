"""Proves before anything starts that configs build and train on the data: each has a loss and a gradient on two windows."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
import torch

from datasets.base import Panel
from datasets.config import DataConfig
from datasets.reading.frequency import time_of
from datasets.windows.batch import Batch
from datasets.windows.lags import reach_of, source_lags
from datasets.windows.loaders import WindowSource
from datasets.windows.prepared import PreparedData
from datasets.windows.windowing import check_windows, score_origins, series_of, train_origins
from models.base import Forecaster
from models.layers.extras import MissingExtra
from search_spaces.base import Config
from tuner.study.train_config import TrainConfig
from tuner.training.network import build
from tuner.training.scoring import check_defined


class Unsuited(ValueError):
    """A config's loss does not suit the data."""


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
        raise ValueError(f"the accelerator must be one that this machine has ({usable}), got {name!r}")


def check_configs(model: str, configs: Iterable[Config], data: PreparedData, metric: str | None = None) -> None:
    """Builds each config and takes a forward and a backward pass.

    Args:
        model: Its name.
        configs: Of this model.
        data: What trials would see.
        metric: What would rank them, to prove that it has a value on the data; None leaves it unproved.

    Raises:
        ValueError: the model refuses a config, or the data does not suit it, and the message says which; or the metric has no
            value on the data.
        ModelBroken: the model's code fails; its error is the cause.
    """
    if metric is not None:
        check_defined(metric, data)
    for config in configs:
        try:
            network, train, data_config = build(model, config, data, seed=0)
            check_targets(train, data)
            windows = _two_windows(data_config, data)
        except MissingExtra:
            raise
        except ValueError as error:
            raise ValueError(f"{error} (config: {describe(config)})") from error
        except Exception as error:
            raise ModelBroken(f"{model} cannot be built with {describe(config)}") from error
        try:
            torch.autograd.backward(network.loss(windows))
        except (MemoryError, torch.OutOfMemoryError) as error:
            raise ValueError(f"two windows must fit into memory, {error} (config: {describe(config)})") from error
        except Exception as error:  # a ValueError too: it comes from the model's code, and not from whoever runs it
            raise ModelBroken(f"{model} cannot be trained with {describe(config)}") from error


def _two_windows(config: DataConfig, data: PreparedData) -> Batch:
    """Two training windows of the first stage, which has the fewest train rows; all windows of all stages exist."""
    reach = reach_of(config.lookback, source_lags(config, data.frequency))
    for stage in data.stages:
        for origins in (
            train_origins(stage, data.offsets, reach, data.horizon),
            score_origins(stage, data.offsets, data.horizon),
        ):
            check_windows(origins, data.offsets, reach, data.horizon)
    first = train_origins(data.stages[0], data.offsets, reach, data.horizon)
    two = torch.from_numpy(first.take(np.arange(min(2, len(first)), dtype=np.int64)))
    return WindowSource(data, data.stages[0], config).batch(two)


def check_targets(train: TrainConfig, data: PreparedData) -> None:
    """Proves that the loss of a config is defined for the data: that what negative_binomial sees are counts.

    Raises:
        Unsuited: it is not.
    """
    if train.loss != "negative_binomial":
        return
    bad = data.observed & ((data.values < 0) | (data.values != np.rint(data.values)))
    if bad.any():
        row, channel = np.argwhere(bad)[0]
        series = int(series_of(np.array([row]), data.offsets)[0])
        steps = int(row - data.offsets[series])
        time = pd.Timestamp(str(time_of(data.start_times[series], steps, data.frequency)))
        raise Unsuited(
            f"train.loss=negative_binomial needs targets that are whole numbers of 0 or more, got "
            f"{data.values[row, channel]:g} in channel "
            f"{data.channels[channel]!r} of series {data.series[series]!r} at {time}; choose another loss"
        )


def unused_inputs(model: type[Forecaster], data: PreparedData | Panel, *, lags: bool = False) -> list[str]:
    """Which inputs a model does not read though they are there: covariates, known and static of the data, lags.

    Args:
        model: Its class.
        data: What trials see.
        lags: Whether ``data.lags`` of any config is other than none.
    """
    there = {
        "covariates": data.covariates.shape[1] > 0,
        "known": data.known.shape[1] > 0,
        "static": data.static.shape[1] + data.static_categories.shape[1] > 0,
        "lags": lags,
    }
    return [name for name, brought in there.items() if brought and name not in model.uses]


def describe(config: Config) -> str:
    """A config in one line."""
    return ", ".join(f"{key}={'none' if value is None else value}" for key, value in config.items())
