"""The contract of a floor: a forecaster that needs no tuning, and that a tuned model must beat to be worth its cost."""

from __future__ import annotations

from typing import Protocol

from datasets.base import FloatArray
from datasets.windows.prepared import PreparedData, Stage


class Floor(Protocol):
    """Fitted on the train rows of a stage, at most chosen on its validation rows; deterministic."""

    name: str
    lookback: int
    """Steps of the past that ``forecast`` needs; known after ``fit``."""

    def fit(self, data: PreparedData, stage: Stage) -> None:
        """Fits to the train rows. Reads nothing past the stage's validation rows."""

    def forecast(self, past: FloatArray) -> FloatArray:
        """(B, lookback, C) scaled to (B, H, C) scaled, each window by itself: bit-equal at every B."""

    def describe(self) -> str:
        """What ``fit`` chose, in a few words; empty if it chose nothing."""
