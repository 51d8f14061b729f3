"""Repeats the last value."""

from __future__ import annotations

from datasets.base import FloatArray
from datasets.windows.prepared import PreparedData, Stage


class Naive:
    """The last value of each channel, over the whole horizon."""

    name = "naive"
    lookback = 1

    def fit(self, data: PreparedData, stage: Stage) -> None:
        """Takes the horizon from the data."""
        self._horizon = data.horizon

    def forecast(self, past: FloatArray) -> FloatArray:
        """(B, 1, C) to (B, H, C)."""
        return past[:, -1:].repeat(self._horizon, axis=1)

    def describe(self) -> str:
        """Empty: nothing was chosen."""
        return ""


FLOOR = Naive
