"""Simple exponential smoothing: the forecast is one level, a mean with weights that fade into the past."""

from __future__ import annotations

import numpy as np

from datasets.base import FloatArray
from models.floors.shared.local import LocalFloor
from models.floors.shared.smoothing import smoothed


class Ses(LocalFloor):
    """level = alpha y + (1 - alpha) level, alpha and the first level those of least squared one-step error.

    Hyndman et al., "Forecasting with Exponential Smoothing", Springer 2008; what R's forecast::ses fits. By statsmodels.
    """

    name = "ses"

    def seconds(self, n_values: float, period: int) -> float:
        """As measured: nearly independent of the length."""
        return 0.005 + 1.5e-6 * n_values

    def extrapolate(self, values: FloatArray, horizon: int, period: int) -> FloatArray:
        """The last level, over the whole horizon."""
        return np.full(horizon, smoothed(values)[1])


FLOOR = Ses
