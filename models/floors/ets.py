"""Exponential smoothing with trend and season, chosen for each series by itself."""

from __future__ import annotations

from itertools import product

import numpy as np

from datasets.base import FloatArray
from models.floors.shared.local import LocalFloor

_LONGEST_SEASON = 24
_FEWEST = 10


class Ets(LocalFloor):
    """The innovations state space model of the least AICc, among those that R's forecast::ets looks at.

    Hyndman et al., "A state space framework for automatic forecasting using exponential smoothing methods", International
    Journal of Forecasting 2002. Errors are additive or multiplicative, a trend is absent, additive or damped, a season absent,
    additive or multiplicative: without multiplicative seasons of additive errors, and without anything multiplicative where a
    value is 0 or less. As in R, a season of more than 24 steps is ignored. By statsmodels. Unlike R, the first states are the
    usual heuristic ones (section 2.6.1 of the book of 2008) and are not optimised further, which would take four times as
    long, and more with a season.
    """

    name = "ets"

    def seconds(self, n_values: float, period: int) -> float:
        """As measured: six models without a season, nine more with one."""
        seasonal = 0.06 + 130e-6 * n_values if 1 < period <= _LONGEST_SEASON else 0.0
        return 0.03 + 12e-6 * n_values + seasonal

    def extrapolate(self, values: FloatArray, horizon: int, period: int) -> FloatArray:
        """Fits each model, forecasts with the best one; with the last value where there are too few for any."""
        from statsmodels.tsa.exponential_smoothing.ets import ETSModel

        seasons = (None, "add", "mul") if 1 < period <= _LONGEST_SEASON and len(values) >= 2 * period + 2 else (None,)
        kinds = ("add", "mul") if values.min() > 0 else ("add",)
        least, best = np.inf, None
        trends = ((None, False), ("add", False), ("add", True)) if len(values) >= _FEWEST else ()
        for error, (trend, damped), season in product(kinds, trends, seasons):
            if season == "mul" and error == "add":
                continue
            fitted = ETSModel(
                values, error=error, trend=trend, damped_trend=damped, seasonal=season,
                seasonal_periods=period if season else None, initialization_method="heuristic",
            ).fit(disp=False)  # fmt: skip
            # Smoothing parameters and first states, of level, trend, damping and season; the variance.
            n = 2 + 2 * (trend is not None) + damped + (1 + period) * (season is not None) + 1
            criterion = -2 * fitted.llf + 2 * n + 2 * n * (n + 1) / (len(values) - n - 1) if len(values) > n + 1 else np.inf
            if criterion < least:
                least, best = criterion, fitted
        return np.full(horizon, values[-1]) if best is None else np.asarray(best.forecast(horizon), dtype=np.float64)


FLOOR = Ets
