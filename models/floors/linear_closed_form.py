"""The best linear map from past to future, solved for in one step: ridge regression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from datasets.base import FloatArray, IntArray
from datasets.windows.prepared import PreparedData, Stage

LOOKBACKS = (96, 168, 336, 512, 720)
RIDGES = (1.0, 100.0, 1_000.0, 10_000.0)


class LinearClosedForm:
    """Ridge regression from the past of a channel to its future: one (L, H) matrix W, shared by all channels.

    Windows are centred on their last past value, which the forecast gets back. With A the centred pasts of all train windows of
    all channels as rows, and B their futures, W = (A'A + ridge I)^-1 A'B. Lookback and ridge are those with the least squared
    error over the stage's validation windows. Values that were missing count as what the fill rule made of them.

    Args:
        lookbacks: Candidates for L. Those for which the data is too short are left out; if all are, the longest that fits
            is used.
        ridges: Candidates for the penalty.
    """

    name = "linear_closed_form"

    def __init__(self, lookbacks: tuple[int, ...] = LOOKBACKS, ridges: tuple[float, ...] = RIDGES) -> None:
        if not lookbacks or not ridges or min(lookbacks) < 1 or min(ridges) <= 0:
            raise ValueError(f"a closed form needs lookbacks of 1 or more and ridges above 0, got {lookbacks} and {ridges}")
        self._candidates = lookbacks
        self._ridges = ridges
        self.lookback = max(lookbacks)
        self._ridge = ridges[0]

    def fit(self, data: PreparedData, stage: Stage) -> None:
        """Solves for W at each candidate, and keeps the one with the least validation error.

        Raises:
            ValueError: not even a lookback of 1 fits.
        """
        least = np.inf
        for lookback in self._fitting(data, stage):
            train = _Products.of(data, stage.train, lookback)
            validation = _Products.of(data, stage.score - np.array([lookback, 0]), lookback)
            for ridge in self._ridges:
                weights = np.linalg.solve(train.past_past + ridge * np.eye(lookback), train.past_future)
                error = validation.squared_error(weights)
                if error < least:
                    least, self.lookback, self._ridge = error, lookback, ridge
                    self._weights = np.ascontiguousarray(weights.T)

    def _fitting(self, data: PreparedData, stage: Stage) -> list[int]:
        train, scored = np.diff(stage.train)[:, 0], np.diff(stage.score)[:, 0] >= data.horizon
        history = stage.score[scored, 0].min() if scored.any() else 0
        longest = int(min(train.max() - data.horizon, history))
        if longest < 1:
            raise ValueError(
                f"a window must fit into the train rows, got horizon={data.horizon} with {train.max()} train rows "
                f"(stage {stage.name}); shorten the horizon or bring more data"
            )
        return [lookback for lookback in self._candidates if lookback <= longest] or [longest]

    def forecast(self, past: FloatArray) -> FloatArray:
        """(B, L, C) to (B, H, C): one product of matrices for each window, so that no window's rounding depends on others."""
        past = np.ascontiguousarray(past, dtype=np.float64)
        last = past[:, -1:]
        future: FloatArray = self._weights @ (past - last) + last
        return future

    def describe(self) -> str:
        """The chosen lookback and ridge."""
        return f"lookback {self.lookback}, ridge {self._ridge:g}"


@dataclass(frozen=True)
class _Products:
    """A'A, A'B and the sum of squares of B over windows, centred on their last past value."""

    past_past: FloatArray
    past_future: FloatArray
    future_squares: float

    @classmethod
    def of(cls, data: PreparedData, ranges: IntArray, lookback: int) -> _Products:
        """Over all windows that lie in the ranges of rows, of all series and channels."""
        span = lookback + data.horizon
        total = np.zeros((span, span))
        for offset, (start, end) in zip(data.offsets[:-1], ranges, strict=True):
            if end - start >= span:
                total += _window_products(data.values[offset + start : offset + end].astype(np.float64), span)
        # Of values less the last past one: sum (x_i - x_l)(x_j - x_l), from the sums of x_i x_j.
        last = total[lookback - 1]
        total = total - last - last[:, None] + last[lookback - 1]
        future_squares = float(np.trace(total[lookback:, lookback:]))
        return cls(total[:lookback, :lookback], total[:lookback, lookback:], future_squares)

    def squared_error(self, weights: FloatArray) -> float:
        """The sum of squares of B - A W, from the products alone."""
        return self.future_squares + float(np.sum(weights * (self.past_past @ weights - 2 * self.past_future)))


def _window_products(values: FloatArray, span: int) -> FloatArray:
    """(span, span): the sum of x[t + i] x[t + j] over every window of ``span`` rows of (rows, C), and over channels.

    For one lag j - i all windows share the products x[u] x[u + lag]: each sum is a difference of two running sums. This costs
    rows * span operations in place of rows * span^2.
    """
    n_windows = len(values) - span + 1
    products = np.zeros((span, span))
    for lag in range(span):
        running = np.zeros(len(values) - lag + 1)
        np.einsum("tc,tc->t", values[: len(values) - lag], values[lag:], out=running[1:])
        np.cumsum(running, out=running)
        first = np.arange(span - lag)
        products[first, first + lag] = products[first + lag, first] = running[first + n_windows] - running[first]
    return products


FLOOR = LinearClosedForm
