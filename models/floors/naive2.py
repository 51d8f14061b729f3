"""Repeats the last value, without and then with its season: what M4's OWA compares with."""

from __future__ import annotations

import numpy as np

from datasets.base import FloatArray
from models.floors.shared.local import LocalFloor
from models.floors.shared.season import season_of


class Naive2(LocalFloor):
    """Naive 2 of the M competitions: the last value of what classical decomposition leaves, with the season put back.

    Makridakis, Spiliotis and Assimakopoulos, "The M4 competition", International Journal of Forecasting 2020. A season is taken
    out where there are three whole ones and the autocorrelation shows it, at 10 %: as factors where all values are positive,
    else (unlike there, where all are) as terms. Daily and weekly series have the seasons of their data here, of 7 and 52 steps;
    M4 takes them to have none.
    """

    name = "naive2"

    def seconds(self, n_values: float, period: int) -> float:
        """As measured: that of the decomposition."""
        return 0.002 + 1e-6 * n_values

    def extrapolate(self, values: FloatArray, horizon: int, period: int) -> FloatArray:
        """Seasonal where there are three whole seasons."""
        season = season_of(values, period, fewest=3 * period)
        return season.put_back(np.full(horizon, season.take_out(values)[-1]))


FLOOR = Naive2
