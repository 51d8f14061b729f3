"""The one way in which anything is scored: trials after each epoch, exported weights, floors."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch

from datasets.base import FloatArray, IntArray
from datasets.windows.loaders import ScoreLoader, WindowSource
from datasets.windows.prepared import PreparedData, Stage
from datasets.windows.windowing import score_origins, series_of
from models.floors.base import Floor
from models.heads.draws import Draws, window_keys
from models.heads.point import PointHead
from tuner.study.metrics import METRICS
from tuner.study.schema import split_config
from tuner.study.seeds import derive
from tuner.study.train_config import TrainConfig
from tuner.training.metrics import ErrorSums, Score, truth_of
from tuner.training.network import Network
from tuner.training.spec import TrialSpec

EVALUATION_BATCH = 256
_MOST_VALUES = 1 << 23
"""Of all paths of a batch: 64 MB in float64."""


def score_network(
    network: Network,
    source: WindowSource,
    data: PreparedData,
    stage: Stage,
    *,
    n_paths: int,
    seed: int,
    context: AbstractContextManager[object] | None = None,
    batch_size: int | None = None,
    n_parts: int = 1,
    with_loss: bool = False,
) -> Score:
    """The score of a network with its present weights, over every scored window of a stage.

    Args:
        network: On the device of ``source``.
        source: Of this data and stage.
        data: In original units.
        stage: What is scored, and whose train rows give the scales.
        n_paths: Paths of each forecast, from models and heads that draw them.
        seed: Of the paths; a window's paths depend on it and on the window alone: on the name of its series and its row there.
        context: The precision that the network trains in; None is that of its weights.
        batch_size: Windows at a time; None takes ``EVALUATION_BATCH``, less where that would be too large.
        n_parts: So many times fewer windows at a time, where memory is short.
        with_loss: Also the metric ``loss``, which costs a second pass through the network.
    """
    sums = ErrorSums(data, stage)
    loc, scale = source.affine
    size = batch_size or batch_size_for(data, 1 if isinstance(network.head, PointHead) else n_paths)
    loader = ScoreLoader(source, score_origins(stage, data.offsets, data.horizon), max(size // n_parts, 1))
    was_training = network.training
    network.eval()
    with torch.inference_mode(), context or nullcontext():
        for origins, batch in loader:
            series, draws = series_of(origins, data.offsets), draws_of(data, origins, seed, source.device)
            paths = _numpy(network.predict(batch.inputs, n_paths, draws).paths)
            paths *= scale[series][:, None, None]
            paths += loc[series][:, None, None]
            loss = _numpy(network.model.training_loss(batch, network.head)) if with_loss else None
            sums.add(origins, paths, loss)
    network.train(was_training)
    return sums.score()


def score_trial(spec: TrialSpec, network: Network, source: WindowSource, data: PreparedData, stage: Stage) -> Score:
    """The score of a trial's network on a stage: the same while it trains and when its weights are loaded again."""
    return score_network(
        network,
        source,
        data,
        stage,
        n_paths=spec.n_paths,
        seed=derive(spec.seed, "paths"),
        context=precision_context(split_config(spec.config)[1], spec.device.type),
        n_parts=spec.n_parts,
        with_loss=spec.metric == "loss",
    )


def precision_context(train: TrainConfig, device: str) -> AbstractContextManager[object]:
    """In which a network of this config computes its forecasts: as Lightning has it compute in training."""
    return torch.autocast(device, torch.bfloat16, enabled=train.precision == "bf16")


def draws_of(data: PreparedData, origins: IntArray, seed: int, device: torch.device | str = "cpu") -> Draws:
    """What the paths of some windows are drawn from."""
    series = series_of(origins, data.offsets)
    return Draws(seed, torch.from_numpy(window_keys(data.series, series, origins - data.offsets[series])).to(device))


def score_floor(floor: Floor, data: PreparedData, stage: Stage, batch_size: int | None = None) -> Score:
    """The score of a fitted floor over the same windows; bit-equal at any batch size."""
    return _score_points(floor.forecast, data, stage, batch_size)


def check_defined(metric: str, data: PreparedData) -> None:
    """Proves that a metric has a value on all that is scored: that it has one for the truth itself.

    Raises:
        ValueError: it has none, or nothing was observed; the message says in which stage.
    """
    for stage in data.stages:
        score = _score_points(lambda data, origins: truth_of(data, origins)[0], data, stage)
        if metric != "loss" and metric not in score.metrics:
            raise ValueError(
                f"--metric must have a value on the data, {metric} divides by 0 on what stage {stage.name} scores "
                f"({METRICS[metric].formula}); choose another one"
            )


def batch_size_for(data: PreparedData, n_paths: int) -> int:
    """Windows of a batch whose paths take little memory."""
    return min(EVALUATION_BATCH, max(_MOST_VALUES // (n_paths * data.horizon * len(data.channels)), 1))


def _score_points(
    forecast: Callable[[PreparedData, IntArray], FloatArray], data: PreparedData, stage: Stage, batch_size: int | None = None
) -> Score:
    sums = ErrorSums(data, stage)
    for origins in score_origins(stage, data.offsets, data.horizon).batches(batch_size or batch_size_for(data, 1)):
        sums.add(origins, forecast(data, origins)[:, None])
    return sums.score()


def _numpy(tensor: torch.Tensor) -> FloatArray:
    """A copy in float64; the one transfer from the device."""
    array: FloatArray = tensor.float().cpu().numpy().astype(np.float64)
    return array
