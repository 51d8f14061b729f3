"""The theta method: exponential smoothing with half of the trend, on values without their season."""

from __future__ import annotations

import numpy as np

from datasets.base import FloatArray
from models.floors.shared.local import LocalFloor
from models.floors.shared.season import season_of
from models.floors.shared.smoothing import smoothed


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
        season, n = season_of(values, period, fewest=2 * period + 1), len(values)
        adjusted = season.take_out(values)
        alpha, level = smoothed(adjusted)
        alpha = max(alpha, 1e-10)
        slope = np.polyfit(np.arange(n), adjusted, 1)[0]
        line: FloatArray = level + slope / 2 * (np.arange(horizon) + (1 - (1 - alpha) ** n) / alpha)
        return season.put_back(line)


FLOOR = Theta
