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
        """Takes the horizon and the period from the data; a period of 1 if there is no whole season before the scores."""
        self._horizon = data.horizon
        period = self._period or data.period
        self.lookback = period if period <= int(stage.score[:, 0].min()) else 1

    def forecast(self, past: FloatArray) -> FloatArray:
        """(B, period, C) to (B, H, C)."""
        return past[:, np.arange(self._horizon) % self.lookback - self.lookback]

    def describe(self) -> str:
        """The period."""
        return f"period {self.lookback}"


FLOOR = SeasonalNaive
