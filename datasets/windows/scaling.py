"""Level and spread of columns, fitted on train rows only, kept with the weights, used again in prediction."""

from __future__ import annotations

import numpy as np

from datasets.base import BoolArray, FloatArray, IntArray, Panel
from datasets.windows.prepared import Scaler, Scalers


def fit_scalers(panel: Panel, train: IntArray) -> Scalers:
    """Everything that is fitted on train rows, in float64.

    Args:
        panel: Filled.
        train: (n_series, 2): rows [start, end) of each series.

    Raises:
        ValueError: a channel has no observed value in the train rows of any series.
    """
    return Scalers(
        targets=fit_targets(panel, train),
        covariates=fit_pooled(panel.covariates, panel.offsets, train),
        known=fit_pooled(panel.known, panel.offsets, train),
        static=_stack([_statistics(panel.static, np.ones(panel.static.shape, dtype=bool))]),
    )


def fit_targets(panel: Panel, train: IntArray) -> Scaler:
    """Statistics of the observed train rows, for each series and channel, in float64.

    A channel that a series never observed in its train rows takes 0 and 1.

    Args:
        panel: Filled.
        train: (n_series, 2): rows [start, end) of each series.

    Raises:
        ValueError: a channel has no observed value in the train rows of any series.
    """
    parts = []
    seen = np.zeros(len(panel.channels), dtype=bool)
    for offset, (start, end) in zip(panel.offsets[:-1], train, strict=True):
        observed = panel.observed[offset + start : offset + end]
        seen |= observed.any(axis=0)
        parts.append(_statistics(panel.values[offset + start : offset + end], observed))
    if not seen.all():
        channel = panel.channels[int(np.argmin(seen))]
        raise ValueError(
            f"a channel needs an observed value in the train rows, got none in {channel!r}; remove that column or bring more data"
        )
    return _stack(parts)


def fit_pooled(columns: FloatArray, offsets: IntArray, train: IntArray) -> Scaler:
    """Statistics of (rows, width) columns over the train rows of all series together."""
    rows = [columns[offset + start : offset + end] for offset, (start, end) in zip(offsets[:-1], train, strict=True)]
    pooled = np.concatenate(rows) if columns.shape[1] else np.zeros((1, 0))
    return _stack([_statistics(pooled, np.ones(pooled.shape, dtype=bool))])


def scaled(columns: FloatArray, loc: FloatArray, scale: FloatArray, offsets: IntArray) -> FloatArray:
    """(rows, width) in original units to float32 by series: (columns - loc) / scale, taken in float64."""
    result = np.empty(columns.shape, dtype=np.float32)
    if len(loc) == 1:
        result[:] = (columns - loc[0]) / scale[0]
        return result
    for i, (start, end) in enumerate(zip(offsets[:-1], offsets[1:], strict=True)):
        result[start:end] = (columns[start:end] - loc[i]) / scale[i]
    return result


def _statistics(values: FloatArray, observed: BoolArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    values = np.where(observed, values, 0.0).astype(np.float64)
    count = np.maximum(observed.sum(axis=0), 1)
    mean = values.sum(axis=0) / count
    std = np.sqrt(np.where(observed, (values - mean) ** 2, 0.0).sum(axis=0) / count)
    size = np.abs(values).sum(axis=0) / count
    # Not std > 0: the mean of equal values is off by a rounding error, which would be blown up to a signal.
    varies = np.where(observed, values, -np.inf).max(axis=0, initial=-np.inf) > np.where(observed, values, np.inf).min(
        axis=0, initial=np.inf
    )
    return mean, np.where(varies, std, 1.0), np.where(size > 0, size, 1.0)


def _stack(parts: list[tuple[FloatArray, FloatArray, FloatArray]]) -> Scaler:
    mean, std, size = (np.stack(column) for column in zip(*parts, strict=True))
    return Scaler(mean=mean, std=std, size=size)
