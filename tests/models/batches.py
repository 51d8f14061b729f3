"""Batches made by hand: tests of models need no data set."""

from __future__ import annotations

from dataclasses import replace

import torch

from datasets.windows.batch import Batch, Inputs
from models.base import Forecaster, WindowShape


def make_batch(shape: WindowShape, n_windows: int = 4, seed: int = 0) -> Batch:
    """Random windows of the sizes of ``shape``."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*size: int) -> torch.Tensor:
        return torch.randn(n_windows, *size, generator=generator)

    categories = [torch.randint(n, (n_windows,), generator=generator) for n in shape.cardinalities]
    steps, channels = (shape.lookback, shape.horizon), shape.n_targets
    inputs = Inputs(
        past_target=normal(steps[0], channels),
        past_observed=torch.ones(n_windows, steps[0], channels, dtype=torch.bool),
        past_covariates=normal(steps[0], shape.n_past_covariates),
        past_known=normal(steps[0], shape.n_known),
        future_known=normal(steps[1], shape.n_known),
        past_lags=normal(steps[0], channels, len(shape.lags)),
        future_lags=normal(steps[1], channels, len(shape.lags)),
        static=normal(shape.n_static),
        static_categories=torch.stack(categories, 1) if categories else torch.zeros(n_windows, 0, dtype=torch.int64),
        loc=torch.zeros(n_windows, 1, channels),
        scale=torch.ones(n_windows, 1, channels),
    )
    observed = torch.ones(n_windows, steps[1], channels, dtype=torch.bool)
    return Batch(inputs=inputs, future_target=normal(steps[1], channels), future_observed=observed)


def channels_moved_by(model: Forecaster, channel: int) -> list[bool]:
    """Of which channels the forecast moves with the first half of the past of one: a norm takes out what moves all of it."""
    inputs = make_batch(model.shape).inputs
    past = inputs.past_target.clone()
    past[:, : past.shape[1] // 2, channel] += 1
    moved = model(replace(inputs, past_target=past)) - model(inputs)
    return (moved.abs().amax((0, 1, 3)) > 0).tolist()
