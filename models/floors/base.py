"""The contract of a floor: a forecaster that needs no tuning, and that a tuned model must beat to be worth its cost."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from datasets.base import FloatArray, IntArray
from datasets.windows.prepared import PreparedData, Stage


class TooLong(Exception):
    """A floor would take too long over so many windows; its message says so in one line."""


class Floor(Protocol):
    """Fitted on the train rows of a stage, at most chosen on its scored rows; deterministic."""

    name: str
    lookback: int
    """Steps of the past that a forecast reads, known after ``fit``; 0 if it reads all of them."""

    def fit(self, data: PreparedData, stage: Stage) -> None:
        """Fits to the train rows. Reads nothing past the stage's scored rows.

        Raises:
            TooLong: it is not made for data of this size.
        """

    def forecast(self, data: PreparedData, origins: IntArray) -> FloatArray:
        """(n,) origins to (n, H, C) in original units, each from the rows of its series up to its origin, and by itself: bit-equal
        whatever the other origins are."""

    def describe(self) -> str:
        """What ``fit`` chose, in a few words; empty if it chose nothing."""


def past(data: PreparedData, origins: IntArray, lookback: int) -> FloatArray:
    """(n, lookback, C): the values up to each origin, original units."""
    return data.values[origins[:, None] + np.arange(1 - lookback, 1)]
