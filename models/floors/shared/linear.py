"""Linear maps from past to future: the products that least squares needs, over all windows of a panel, and the forecast."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from datasets.base import FloatArray, IntArray
from datasets.windows.prepared import PreparedData
from models.floors.base import TooLong, past

_MOST_PRODUCTS = 2e11
"""Half a minute to a minute of work."""


def check_work(lengths: IntArray, spans: Sequence[int], n_channels: int) -> None:
    """Makes sure that ``window_products`` for windows of each span is a matter of a minute at most.

    Args:
        lengths: (n_series,): rows of each series.
        spans: Rows of a window, one call each.
        n_channels: C.

    Raises:
        TooLong: it is not.
    """
    products = n_channels * sum(span * int(np.maximum(lengths - span + 1, 0).sum()) for span in spans)
    if products > _MOST_PRODUCTS:
        raise TooLong(f"{products:.1e} products of values, the limit is {_MOST_PRODUCTS:.0e}")


def tables(data: PreparedData, ranges: IntArray, loc: FloatArray, scale: FloatArray) -> Iterator[FloatArray]:
    """Each series as (C, rows): its rows in the ranges, less ``loc`` and over ``scale``, both (n_series, C)."""
    for i, (offset, (start, end)) in enumerate(zip(data.offsets[:-1], ranges, strict=True)):
        yield np.ascontiguousarray(((data.values[offset + start : offset + end] - loc[i]) / scale[i]).T)


def window_products(tables: Iterator[FloatArray], span: int) -> FloatArray:
    """(span, span): the sum of x[t + i] x[t + j] over every window of ``span`` values in every row of every table.

    The sum at (i + 1, j + 1) covers the same products as that at (i, j), but for the first of each series, which it leaves
    out, and one more at its end. So the sums at (0, j) and those two ends give all: rows * span operations in place of
    rows * span^2, and the ends of all series are two products of matrices.
    """
    first_row = np.zeros(span)
    heads: list[FloatArray] = [np.zeros((0, span - 1))]
    tails = heads.copy()
    for table in tables:
        n_windows = table.shape[1] - span + 1
        if n_windows > 0:
            for row in table:
                first_row += np.correlate(row, row[:n_windows], "valid")
            heads.append(table[:, : span - 1])
            tails.append(table[:, n_windows:])
    head, tail = np.concatenate(heads), np.concatenate(tails)
    step = tail.T @ tail - head.T @ head
    products = np.zeros((span, span))
    products[0] = first_row
    for i in range(1, span):
        products[i, i:] = products[i - 1, i - 1 : -1] + step[i - 1, i - 1 :]
    return np.triu(products) + np.triu(products, 1).T


def linear_forecast(data: PreparedData, origins: IntArray, weights: FloatArray, *, centred: bool) -> FloatArray:
    """(n,) origins to (n, H, C): one product of matrices for each window, so that no window's rounding depends on others.

    Level and spread of a series do not matter here: a linear map gives back the spread that it gets, and a centred one the
    level, so original units go in and come out.

    Args:
        data: Whose values are the past.
        origins: Flat rows.
        weights: (H, L), from L past values to the horizon.
        centred: Each past counts from its last value, which the forecast gets back.
    """
    seen = past(data, origins, weights.shape[1])
    if not centred:
        unchanged: FloatArray = weights @ seen
        return unchanged
    last = seen[:, -1:]
    future: FloatArray = weights @ (seen - last) + last
    return future
