"""Local floors: each series and channel by itself, fitted at each origin on all of its values up to there."""

from __future__ import annotations

import importlib
import warnings
from abc import ABC, abstractmethod

import numpy as np

from datasets.base import FloatArray, IntArray
from datasets.windows.prepared import PreparedData, Stage
from datasets.windows.windowing import score_origins, series_of
from models.floors.base import TooLong

MOST_ORIGINS = 24
"""Of one series in a stage: a rolling evaluation of one long series has hundreds, each of them a fit."""
MOST_SECONDS = 15.0
"""For the scored windows of a stage, by the estimate of ``seconds``."""
_FEWEST = 4
"""Values from which anything can be fitted; fewer are forecast by the last."""


class LocalFloor(ABC):
    """What is fitted at each origin, made for the few origins of many short series.

    A series begins with its first observed value, so that rows put in front of short series count for nothing; a value that
    is missing later counts as what the fill rule made of it. A constant series stays what it is.
    """

    name: str
    lookback = 0
    refits = True

    def fit(self, data: PreparedData, stage: Stage) -> None:
        """Counts the fits that scoring the stage takes; the origins do the rest.

        Raises:
            TooLong: there are many origins a series, or the fits would take more than a quarter of a minute.
        """
        self._period = data.period
        origins = score_origins(stage, data.offsets, data.horizon)
        n_fits = len(origins) * len(data.channels)
        rows = origins.first - data.offsets[:-1] + 1 + (origins.count - 1) / 2
        seconds = n_fits * self.seconds(float(np.average(rows, weights=origins.count)), data.period)
        most = int(origins.count.max())
        if most > MOST_ORIGINS:
            raise TooLong(f"it is fitted at each of {most:,} origins of a series, {n_fits:,} fits")
        if seconds > MOST_SECONDS:
            raise TooLong(f"{n_fits:,} fits, about {seconds:,.0f} s")

    def forecast(self, data: PreparedData, origins: IntArray) -> FloatArray:
        """(n,) to (n, H, C)."""
        starts = data.offsets[series_of(origins, data.offsets)]
        future = np.empty((len(origins), data.horizon, len(data.channels)))
        with warnings.catch_warnings():
            importlib.import_module("statsmodels.tools.sm_exceptions")  # puts its own filters in front: so before ours
            warnings.simplefilter("ignore")  # an optimum at a bound, a likelihood that overflows on the way: both are usual
            for window, (start, origin) in enumerate(zip(starts, origins, strict=True)):
                rows = slice(int(start), int(origin) + 1)
                for channel in range(len(data.channels)):
                    values, observed = data.values[rows, channel], data.observed[rows, channel]
                    future[window, :, channel] = self._forecast(values[int(np.argmax(observed)) :], data.horizon)
        return future

    def _forecast(self, values: FloatArray, horizon: int) -> FloatArray:
        if len(values) < _FEWEST or np.ptp(values) == 0:
            return np.full(horizon, values[-1])
        # Of size 1, so that the optimiser's tolerances mean the same for every series.
        size = np.abs(values).mean()
        with np.errstate(all="ignore"):
            future = self.extrapolate(values / size, horizon, self._period) * size
        return future if np.isfinite(future).all() else np.full(horizon, values[-1])

    def describe(self) -> str:
        """Empty: what is chosen is chosen at each origin."""
        return ""

    @abstractmethod
    def seconds(self, n_values: float, period: int) -> float:
        """About how long a fit to so many values takes."""

    @abstractmethod
    def extrapolate(self, values: FloatArray, horizon: int, period: int) -> FloatArray:
        """(n,) to (H,). There are at least four values, not all the same, and their mean size is 1."""
