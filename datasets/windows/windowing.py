"""Where windows start. An origin is the flat row of a window's last past step; windows are indexed, never materialised.

What is scored depends on the split and the horizon alone: a lookback only reaches back from an origin, it never moves one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from datasets.base import BoolArray, IntArray
from datasets.windows.prepared import Split


@dataclass(frozen=True, eq=False)
class Origins:
    """The origins of many windows, in order, as runs of rows."""

    first: IntArray
    """(n,): the first origin of each run, a flat row."""
    count: IntArray
    """(n,): how many origins follow each other; may be 0."""
    series: IntArray | None = None
    """(n,): the index of the series of each run; None where there is a run for each series, in order."""

    @classmethod
    def of(cls, rows: IntArray, offsets: IntArray) -> Origins:
        """Some origins one by one, as they are listed."""
        return cls(rows, np.ones_like(rows), series_of(rows, offsets))

    @cached_property
    def _ends(self) -> IntArray:
        return np.cumsum(self.count)

    @cached_property
    def _shift(self) -> IntArray:
        return self.first + self.count - self._ends

    def __len__(self) -> int:
        return int(self._ends[-1])

    def take(self, places: IntArray) -> IntArray:
        """The origins at some places of the order, each in [0, len)."""
        return self._shift[np.searchsorted(self._ends, places, side="right")] + places

    def batches(self, size: int) -> Iterator[IntArray]:
        """All of them in order, at most ``size`` at a time."""
        for start in range(0, len(self), size):
            yield self.take(np.arange(start, min(start + size, len(self)), dtype=np.int64))

    def all(self) -> IntArray:
        """(n,): all of them."""
        return self.take(np.arange(len(self), dtype=np.int64))


def train_origins(split: Split, offsets: IntArray, reach: int, horizon: int) -> Origins:
    """The origin of every window whose past and targets lie inside the train rows.

    Args:
        split: Which rows those are.
        offsets: (n_series + 1,), of the arrays that the origins will index.
        reach: Steps of the past that a window needs: its lookback, and the longest lag before it.
        horizon: Steps of the future.

    Raises:
        ValueError: no series has enough train rows for one window.
    """
    start, end = split.train.T
    origins = Origins(offsets[:-1] + start + reach - 1, np.maximum(end - start - reach - horizon + 1, 0))
    if not len(origins):
        raise ValueError(
            f"lookback (with its lags) + horizon must not exceed the train rows, got {reach} + {horizon} with "
            f"{(end - start).max()} train rows (stage {split.name}); shorten one of them or bring more data"
        )
    return origins


def score_origins(split: Split, offsets: IntArray, horizon: int) -> Origins:
    """The origin of every window whose targets all lie inside the score rows: rows - horizon + 1 for each series.

    Args:
        split: Which rows those are.
        offsets: (n_series + 1,), of the arrays that the origins will index.
        horizon: Steps of the future.

    Raises:
        ValueError: no series has enough score rows for one window.
    """
    start, end = split.score.T
    origins = Origins(offsets[:-1] + start - 1, np.maximum(end - start - horizon + 1, 0))
    if not len(origins):
        raise ValueError(
            f"horizon must not exceed the rows that are scored, got horizon={horizon} with {(end - start).max()} rows "
            f"(stage {split.name}); shorten the horizon or bring more data"
        )
    return origins


def times_scored(split: Split, offsets: IntArray, horizon: int, first_counted: int = 0) -> IntArray:
    """(rows,): in how many scored windows each flat row is a step of the horizon that counts.

    Args:
        split: Which rows are scored.
        offsets: (n_series + 1,), of the arrays that the rows index.
        horizon: Steps of the future.
        first_counted: Steps of a horizon before this one, from 0, do not count.
    """
    origins = score_origins(split, offsets, horizon)
    some = origins.count > 0
    start, count = origins.first[some] + 1 + first_counted, origins.count[some]
    # What n windows, each a step after the other, count of their rows rises, stays and falls by 1 a row: the sum of two sums.
    bends = np.zeros(offsets[-1] + 2, dtype=np.int64)
    for sign, row in ((1, 0), (-1, count), (-1, horizon - first_counted), (1, count + horizon - first_counted)):
        np.add.at(bends, start + row, sign)
    return bends.cumsum().cumsum()[:-2]


def series_of(origins: IntArray, offsets: IntArray) -> IntArray:
    """(n,): the index of the series that holds each flat row."""
    return np.searchsorted(offsets, origins, side="right").astype(np.int64) - 1


def rows_within(ranges: IntArray, offsets: IntArray) -> BoolArray:
    """(rows,): True for rows [start, end) of each series, from (n_series, 2) ranges."""
    start, end = ranges.T
    runs = np.stack([start, end - start, np.diff(offsets) - end], axis=1)
    return np.repeat(np.tile([False, True, False], len(runs)), runs.ravel())


def check_windows(origins: Origins, offsets: IntArray, reach: int, horizon: int) -> None:
    """Makes sure that every window lies inside one series.

    Raises:
        ValueError: a past reaches back before its series, or a future past its end.
    """
    some = origins.count > 0
    series = slice(None) if origins.series is None else origins.series
    starts, ends = offsets[:-1][series], offsets[1:][series]
    history = int((origins.first - starts)[some].min()) + 1
    if reach > history:
        raise ValueError(
            f"lookback (with its lags) must not reach back before the series, got {reach} at an origin with "
            f"{history} rows of history; use {history} or less, or --short-series drop or pad"
        )
    future = int((ends - origins.first - origins.count)[some].min())
    if horizon > future:
        raise ValueError(
            f"horizon must not reach past the end of the series, got horizon={horizon} at an origin with "
            f"{future} rows after it; use {future} or less"
        )
