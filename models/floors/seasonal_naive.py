"""Repeats the last season."""

from __future__ import annotations

import numpy as np

from datasets.base import FloatArray
from datasets.windows.prepared import PreparedData, Stage


class SeasonalNaive:
    """The last ``period`` values of each channel, over and over.

    Args:
        period: Steps of one season; None takes the data's own.
    """

    name = "seasonal_naive"

    def __init__(self, period: int | None = None) -> None:
        self._period = period
        self.lookback = period or 0

    def fit(self, data: PreparedData, stage: Stage) -> None:
        """Takes the horizon from the data, and the period if none was given."""
        self._horizon = data.horizon
        self.lookback = self._period or data.period

    def forecast(self, past: FloatArray) -> FloatArray:
        """(B, period, C) to (B, H, C)."""
        return past[:, np.arange(self._horizon) % self.lookback - self.lookback]

    def describe(self) -> str:
        """The period."""
        return f"period {self.lookback}"


FLOOR = SeasonalNaive
