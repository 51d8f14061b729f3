"""The one way in which anything is scored: trials after each epoch, exported weights, floors."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import numpy as np
import torch
from torch import Tensor

from datasets.windows.batch import Inputs
from datasets.windows.loaders import ScoreLoader, WindowSource
from datasets.windows.prepared import PreparedData, Stage
from datasets.windows.windowing import score_origins
from models.base import Forecast, Forecaster
from models.floors.base import Floor
from models.heads.base import Head
from tuner.training.metrics import ErrorSums, Score

EVALUATION_BATCH = 256


def score_with(
    predict: Callable[[Inputs], Forecast],
    source: WindowSource,
    data: PreparedData,
    stage: Stage,
    batch_size: int = EVALUATION_BATCH,
) -> Score:
    """The score of a forecast function over every scored window of a stage."""
    sums = ErrorSums()
    for batch in ScoreLoader(source, score_origins(stage, data.offsets, data.horizon), batch_size):
        forecast = predict(batch.inputs)
        sums.add(*(_numpy(part) for part in (forecast.mean, forecast.median, batch.future_target, batch.future_observed)))
    return sums.score(data.scaler, data.channels)


def _numpy(tensor: Tensor) -> np.ndarray:
    return (tensor.float() if tensor.dtype == torch.bfloat16 else tensor).cpu().numpy()


def score_model(
    model: Forecaster,
    head: Head,
    source: WindowSource,
    data: PreparedData,
    stage: Stage,
    *,
    context: Callable[[], AbstractContextManager[object]] = nullcontext,
    batch_size: int = EVALUATION_BATCH,
) -> Score:
    """The score of a model with its present weights. ``context`` is the precision it trains in."""
    was_training = model.training
    model.eval()
    with torch.inference_mode(), context():
        score = score_with(lambda inputs: model.predict(inputs, head, 1, None), source, data, stage, batch_size)
    model.train(was_training)
    return score


def score_floor(floor: Floor, data: PreparedData, stage: Stage, batch_size: int = EVALUATION_BATCH) -> Score:
    """The score of a fitted floor over the same windows."""

    def predict(inputs: Inputs) -> Forecast:
        future = floor.forecast(inputs.past_target.numpy().astype(np.float64))
        return Forecast(paths=torch.from_numpy(future).unsqueeze(1))

    source = WindowSource(data, lookback=floor.lookback, horizon=data.horizon)
    return score_with(predict, source, data, stage, batch_size)
