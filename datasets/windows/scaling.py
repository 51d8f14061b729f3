"""Level and spread of columns, fitted on train rows only, kept with the weights, used again in prediction."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from datasets.base import BoolArray, FloatArray, IntArray, Panel
from datasets.windows.prepared import Scaler, Scalers
from datasets.windows.windowing import rows_within

_ROWS = 1 << 20
"""About so many rows are worked on at a time."""


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
        static=_fit(panel.static, np.ones(panel.static.shape, dtype=bool), np.array([0, len(panel.series)])),
    )


def fit_targets(panel: Panel, train: IntArray) -> Scaler:
    """Statistics of the observed train rows, for each series and channel, in float64.

    A channel that a series never observed in its train rows takes mean 0, std 1 and size 1.

    Args:
        panel: Filled.
        train: (n_series, 2): rows [start, end) of each series.

    Raises:
        ValueError: a channel has no observed value in the train rows of any series.
    """
    seen = panel.observed & rows_within(train, panel.offsets)[:, None]
    if not (found := seen.any(axis=0)).all():
        channel = panel.channels[int(np.argmin(found))]
        raise ValueError(
            f"a channel needs an observed value in the train rows, got none in {channel!r}; remove it or bring more data"
        )
    return _fit(panel.values, seen, panel.offsets)


def fit_pooled(columns: FloatArray, offsets: IntArray, train: IntArray) -> Scaler:
    """Statistics of (rows, width) columns over the train rows of all series together."""
    seen = np.broadcast_to(rows_within(train, offsets)[:, None], columns.shape)
    return _fit(columns, seen, offsets[[0, -1]])


def scaled(columns: FloatArray, loc: FloatArray, scale: FloatArray, offsets: IntArray) -> FloatArray:
    """(rows, width) in original units to float32: (columns - loc) / scale, taken in float64.

    Args:
        columns: (rows, width)
        loc: (n_series, width), or (1, width) for all of them.
        scale: Like ``loc``.
        offsets: (n_series + 1,)
    """
    result = np.empty(columns.shape, dtype=np.float32)
    spans = pairwise(offsets if len(loc) > 1 else (0, len(columns)))
    for i, (start, end) in enumerate(spans):
        result[start:end] = (columns[start:end] - loc[i]) / scale[i]
    return result


def _fit(columns: FloatArray, seen: BoolArray, offsets: IntArray) -> Scaler:
    """Statistics of what is seen in each group of rows [offsets[i], offsets[i + 1]), some groups at a time."""
    edges = np.unique(np.append(np.searchsorted(offsets, np.arange(0, offsets[-1], _ROWS)), len(offsets) - 1))
    result = np.empty((3, len(offsets) - 1, columns.shape[1]))
    for first, last in pairwise(edges):
        groups = offsets[first : last + 1]
        rows = slice(groups[0], groups[-1])
        for c in range(columns.shape[1]):
            result[:, first:last, c] = _statistics(columns[rows, c], seen[rows, c], groups - groups[0])
    mean, std, size = result
    return Scaler(mean=mean, std=std, size=size)


def _statistics(values: FloatArray, seen: BoolArray, offsets: IntArray) -> FloatArray:
    """(3, groups): mean, population deviation and mean size of what is seen of one column."""
    lengths = np.diff(offsets)
    some = lengths > 0  # reduceat has no empty groups

    def reduced(ufunc: np.ufunc, numbers: FloatArray) -> FloatArray:
        result = np.zeros(len(lengths))
        result[some] = ufunc.reduceat(numbers, offsets[:-1][some])
        return result

    values = np.where(seen, values, 0.0)
    count = np.maximum(reduced(np.add, seen.astype(np.float64)), 1.0)
    mean = reduced(np.add, values) / count
    size = reduced(np.add, np.abs(values)) / count
    std = np.sqrt(reduced(np.add, np.where(seen, values - np.repeat(mean, lengths), 0.0) ** 2) / count)
    # Not std > 0: the mean of equal values is off by a rounding error, which would be blown up to a signal.
    greatest, least = (reduced(f, np.where(seen, values, end)) for f, end in ((np.maximum, -np.inf), (np.minimum, np.inf)))
    return np.stack([mean, np.where(greatest > least, std, 1.0), np.where(size > 0, size, 1.0)])
