"""The contract of a floor: a forecaster that needs no tuning, and that a tuned model must beat to be worth its cost."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from datasets.base import FloatArray, IntArray
from datasets.windows.prepared import PreparedData, Split, Stage
from datasets.windows.windowing import series_of


class TooLong(Exception):
    """A floor would take too long over so many windows; its message says so in one line."""


class Floor(Protocol):
    """Fitted on rows before those that a stage scores, at most chosen on its scored rows; deterministic."""

    name: str
    lookback: int
    """Steps of the past that a forecast reads, known after ``fit``; 0 if it reads all of them."""
    refits: bool
    """True: ``fit`` reads nothing that the stage scores, so the floor is fitted again for the test, on all rows before it, as
    the Monash archive does. False: it is chosen on what the stage scores, so the test takes it as fitted for validation."""

    def fit(self, data: PreparedData, stage: Stage) -> None:
        """Fits to rows before the scored ones. Reads nothing past the stage's scored rows.

        Raises:
            TooLong: it is not made for data of this size.
        """

    def forecast(self, data: PreparedData, origins: IntArray) -> FloatArray:
        """(n,) origins to (n, H, C) in original units.

        Each from the rows of its series up to its origin, and by itself: bit-equal whatever the other origins are.
        """

    def describe(self) -> str:
        """What ``fit`` chose, in a few words; empty if it chose nothing."""


def past(data: PreparedData, origins: IntArray, lookback: int) -> FloatArray:
    """(n, lookback, C): the values up to each origin, original units; before the start of a series stands its first row."""
    first = data.offsets[series_of(origins, data.offsets)]
    seen: FloatArray = data.values[np.maximum(origins[:, None] + np.arange(1 - lookback, 1), first[:, None])]
    return seen


def scored_history(split: Split, horizon: int) -> IntArray:
    """Rows before the first scored row, of each series in which a window is scored."""
    start, end = split.score.T
    history: IntArray = start[end - start >= horizon]
    return history


def rows_before(data: PreparedData, split: Split) -> IntArray:
    """(n_series, 2): from the first train row in which a target was observed, so without rows put in front of short series, to
    the first scored row, or the last train row of a series that is not scored."""
    first, end = split.train.T
    end = np.where(np.diff(split.score)[:, 0] > 0, split.score[:, 0], end)
    seen = np.asarray(data.observed.any(axis=1))
    spans = zip(data.offsets[:-1] + first, data.offsets[:-1] + end, strict=True)
    unseen = [int(np.argmax(seen[a:b])) if a < b else 0 for a, b in spans]
    return np.stack([first + unseen, end], axis=1)
