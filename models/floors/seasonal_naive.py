"""Repeats the last season."""

from __future__ import annotations

import numpy as np

from datasets.base import FloatArray, IntArray
from datasets.windows.prepared import PreparedData, Stage
from datasets.windows.windowing import series_of
from models.floors.base import scored_history


class SeasonalNaive:
    """The last ``period`` values of each channel, over and over; the last value at an origin without a whole season behind it.

    Args:
        period: Steps of one season; None takes the data's own.
    """

    name = "seasonal_naive"
    refits = True

    def __init__(self, period: int | None = None) -> None:
        self._period = period
        self.lookback = period or 0

    def fit(self, data: PreparedData, stage: Stage) -> None:
        """Takes the period from the data; 1 if no series has a whole season before its scores."""
        period = self._period or data.period
        self.lookback = period if period <= scored_history(stage, data.horizon).max(initial=0) else 1

    def forecast(self, data: PreparedData, origins: IntArray) -> FloatArray:
        """(n,) to (n, H, C)."""
        history = origins - data.offsets[series_of(origins, data.offsets)] + 1
        period = np.where(history >= self.lookback, self.lookback, 1)[:, None]
        future: FloatArray = data.values[origins[:, None] + 1 - period + np.arange(data.horizon) % period]
        return future

    def describe(self) -> str:
        """The period."""
        return f"period {self.lookback}"


FLOOR = SeasonalNaive
