"""Repeats the last value."""

from __future__ import annotations

from datasets.base import FloatArray, IntArray
from datasets.windows.prepared import PreparedData, Stage


class Naive:
    """The last value of each channel, over the whole horizon."""

    name = "naive"
    lookback = 1
    refits = True

    def fit(self, data: PreparedData, stage: Stage) -> None:
        """There is nothing to fit."""

    def forecast(self, data: PreparedData, origins: IntArray) -> FloatArray:
        """(n,) to (n, H, C)."""
        return data.values[origins][:, None].repeat(data.horizon, axis=1)

    def describe(self) -> str:
        """Empty: nothing was chosen."""
        return ""


FLOOR = Naive
