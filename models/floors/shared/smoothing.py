"""Simple exponential smoothing, by statsmodels."""

from __future__ import annotations

from datasets.base import FloatArray


def smoothed(values: FloatArray) -> tuple[float, float]:
    """alpha and the last level of level = alpha y + (1 - alpha) level.

    alpha and the first level are those of least squared one-step error.
    """
    from statsmodels.tsa.holtwinters import SimpleExpSmoothing

    fitted = SimpleExpSmoothing(values, initialization_method="estimated").fit()
    return float(fitted.params["smoothing_level"]), float(fitted.forecast(1)[0])
