"""The best linear map from past to future, solved for in one step: ridge regression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from datasets.base import FloatArray, IntArray
from datasets.windows.prepared import PreparedData, Stage
from models.floors.base import scored_history
from models.floors.shared.linear import check_work, linear_forecast, tables, window_products

LOOKBACKS = (96, 168, 336, 512, 720)
RIDGES = (1.0, 100.0, 1_000.0, 10_000.0)


class LinearClosedForm:
    """Ridge regression from the past of a channel to its future: one (L, H) matrix W, shared by all series and channels.

    It is solved for in z-scores of the train rows, by series and channel. Windows are centred on their last past value, which
    the forecast gets back. With A the centred pasts of all train windows of all channels as rows, and B their futures,
    W = (A'A + ridge I)^-1 A'B. Lookback and ridge are those with the least squared error over the stage's scored windows.
    Values that were missing count as what the fill rule made of them.

    Args:
        lookbacks: Candidates for L. Those for which a scored series is too short are left out; if all are, the longest that
            fits is used.
        ridges: Candidates for the penalty.
    """

    name = "linear_closed_form"
    refits = False

    def __init__(self, lookbacks: tuple[int, ...] = LOOKBACKS, ridges: tuple[float, ...] = RIDGES) -> None:
        if not lookbacks or not ridges or min(lookbacks) < 1 or min(ridges) <= 0:
            raise ValueError(f"a closed form needs lookbacks of 1 or more and ridges above 0, got {lookbacks} and {ridges}")
        self._candidates = lookbacks
        self._ridges = ridges
        self.lookback = max(lookbacks)
        self._ridge = ridges[0]

    def fit(self, data: PreparedData, stage: Stage) -> None:
        """Solves for W at each candidate, and keeps the one with the least error over the scored windows.

        Raises:
            ValueError: not even a lookback of 1 fits.
            TooLong: there are too many windows.
        """
        lookbacks = self._fitting(data, stage)
        rows = np.concatenate([np.diff(stage.train)[:, 0], np.diff(stage.score)[:, 0] + lookbacks[-1]])
        check_work(rows, [lookback + data.horizon for lookback in lookbacks], len(data.channels))
        least = np.inf
        for lookback in lookbacks:
            train = _Products.of(data, stage, stage.train, lookback)
            scored = _Products.of(data, stage, stage.score - np.array([lookback, 0]), lookback)
            for ridge in self._ridges:
                weights = np.linalg.solve(train.past_past + ridge * np.eye(lookback), train.past_future)
                error = scored.squared_error(weights, data.first_counted)
                if error < least:
                    least, self.lookback, self._ridge = error, lookback, ridge
                    self._weights = np.ascontiguousarray(weights.T)

    def _fitting(self, data: PreparedData, stage: Stage) -> list[int]:
        n_train = int(np.diff(stage.train).max())
        longest = min(n_train - data.horizon, int(scored_history(stage, data.horizon).min(initial=n_train)))
        if longest < 1:
            raise ValueError(
                f"a window must fit into the train rows, got horizon={data.horizon} with {n_train} train rows "
                f"(stage {stage.name}); shorten the horizon or bring more data"
            )
        return [lookback for lookback in self._candidates if lookback <= longest] or [longest]

    def forecast(self, data: PreparedData, origins: IntArray) -> FloatArray:
        """(n,) to (n, H, C)."""
        return linear_forecast(data, origins, self._weights, centred=True)

    def describe(self) -> str:
        """The chosen lookback and ridge."""
        return f"lookback {self.lookback}, ridge {self._ridge:g}"


@dataclass(frozen=True)
class _Products:
    """A'A, A'B and the sums of squares of B's columns over windows, centred on their last past value."""

    past_past: FloatArray
    past_future: FloatArray
    future_squares: FloatArray

    @classmethod
    def of(cls, data: PreparedData, stage: Stage, ranges: IntArray, lookback: int) -> _Products:
        """Over all windows that lie in the ranges of rows, of all series and channels."""
        scaler = stage.scalers.targets
        total = window_products(tables(data, ranges, scaler.mean, scaler.std), lookback + data.horizon)
        # Of values less the last past one: sum (x_i - x_l)(x_j - x_l), from the sums of x_i x_j.
        last = total[lookback - 1]
        total = total - last - last[:, None] + last[lookback - 1]
        return cls(total[:lookback, :lookback], total[:lookback, lookback:], np.diag(total[lookback:, lookback:]))

    def squared_error(self, weights: FloatArray, first_counted: int) -> float:
        """The sum of squares of B - A W over the steps that count, from the products alone."""
        errors = self.future_squares + np.sum(weights * (self.past_past @ weights - 2 * self.past_future), axis=0)
        return float(errors[first_counted:].sum())


FLOOR = LinearClosedForm
