"""The theta method: exponential smoothing with half of the trend, on values without their season."""

from __future__ import annotations

import numpy as np

from datasets.base import FloatArray
from models.floors.shared.local import LocalFloor
from models.floors.shared.smoothing import smoothed

_CRITICAL = 1.645
"""The normal quantile of a two-sided test at 10 %."""


class Theta(LocalFloor):
    """The mean of a line through the values and of exponential smoothing of what bends twice as much.

    Assimakopoulos and Nikolopoulos, "The theta model", International Journal of Forecasting 2000, in the form of Hyndman and
    Billah, "Unmasking the theta method", same journal 2003: exponential smoothing with half of the line's slope for a drift;
    what R's forecast::thetaf fits. A season that shows in the autocorrelation is taken out first, by classical decomposition,
    and put back: as factors where all values are positive, else (unlike R) as terms.
    """

    name = "theta"

    def seconds(self, n_values: float, period: int) -> float:
        """As measured: that of exponential smoothing, and little more."""
        return 0.006 + 2e-6 * n_values

    def extrapolate(self, values: FloatArray, horizon: int, period: int) -> FloatArray:
        """Seasonal where there are more than two whole seasons."""
        n, ahead = len(values), np.arange(horizon)
        factors = bool(values.min() > 0)
        season = np.full(n, 1.0 if factors else 0.0)
        if 1 < period < n / 2 and _is_seasonal(values, period):
            from statsmodels.tsa.seasonal import seasonal_decompose

            season = seasonal_decompose(values, "multiplicative" if factors else "additive", period=period).seasonal
        adjusted = values / season if factors else values - season
        alpha, level = smoothed(adjusted)
        alpha = max(alpha, 1e-10)
        slope = np.polyfit(np.arange(n), adjusted, 1)[0]
        line: FloatArray = level + slope / 2 * (ahead + (1 - (1 - alpha) ** n) / alpha)
        repeated = season[n - period + ahead % period] if period < n else season[-1]
        future: FloatArray = line * repeated if factors else line + repeated
        return future


def _is_seasonal(values: FloatArray, period: int) -> bool:
    """Whether the autocorrelation at one season exceeds what shorter lags explain (Bartlett's standard error)."""
    centred = values - values.mean()
    lagged = np.array([centred[lag:] @ centred[: len(centred) - lag] for lag in range(1, period + 1)]) / (centred @ centred)
    error = np.sqrt((1 + 2 * np.square(lagged[:-1]).sum()) / len(values))
    return bool(abs(lagged[-1]) > _CRITICAL * error)


FLOOR = Theta
