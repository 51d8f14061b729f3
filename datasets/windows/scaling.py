"""Z-scores by channel. Fitted on train rows only, kept with the weights, used again in prediction."""

from __future__ import annotations

import numpy as np

from datasets.base import FloatArray, IntArray, Panel
from datasets.windows.prepared import Scaler, Stage


def fit_scaler(panel: Panel, stage: Stage) -> Scaler:
    """Mean and population standard deviation of the observed train rows, for each series and channel, in float64.

    Raises:
        ValueError: a channel has no observed value in the train rows of a series.
    """
    means, stds = [], []
    for i, (start, end) in enumerate(stage.train):
        rows = slice(panel.offsets[i] + start, panel.offsets[i] + end)
        values, observed = panel.values[rows].astype(np.float64), panel.observed[rows]
        if not observed.any(axis=0).all():
            channel = panel.channels[int(np.argmin(observed.any(axis=0)))]
            raise ValueError(
                f"a channel needs an observed value in the train rows, got none in {channel!r} of series "
                f"{panel.series[i]!r}; remove that column or bring more data"
            )
        count = observed.sum(axis=0)
        mean = np.where(observed, values, 0.0).sum(axis=0) / count
        std = np.sqrt((np.where(observed, values - mean, 0.0) ** 2).sum(axis=0) / count)
        # Not std > 0: the mean of equal values is off by a rounding error, which would be blown up to a signal.
        varies = np.where(observed, values, -np.inf).max(axis=0) > np.where(observed, values, np.inf).min(axis=0)
        means.append(mean)
        stds.append(np.where(varies, std, 1.0))
    return Scaler(mean=np.stack(means), std=np.stack(stds))


def transform(values: FloatArray, scaler: Scaler, offsets: IntArray) -> FloatArray:
    """(rows, C) in original units to (rows, C) scaled, float64."""
    return (values - _by_row(scaler.mean, offsets)) / _by_row(scaler.std, offsets)


def inverse(values: FloatArray, scaler: Scaler, offsets: IntArray) -> FloatArray:
    """(rows, C) scaled to (rows, C) in original units, float64."""
    return values * _by_row(scaler.std, offsets) + _by_row(scaler.mean, offsets)


def _by_row(statistic: FloatArray, offsets: IntArray) -> FloatArray:
    return statistic if len(statistic) == 1 else np.repeat(statistic, np.diff(offsets), axis=0)
