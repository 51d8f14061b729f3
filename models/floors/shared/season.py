"""A season of one series, taken out and put back, where it shows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from datasets.base import FloatArray

_CRITICAL = 1.645
"""The normal quantile of a two-sided test at 10 %."""


@dataclass(frozen=True, kw_only=True)
class Season:
    """Factors where all values are positive, else (unlike R's thetaf) terms; without a season 1 or 0."""

    values: FloatArray
    """(n,)"""
    period: int
    factors: bool

    def take_out(self, values: FloatArray) -> FloatArray:
        """(n,) to (n,): what is left of the values that it was found in."""
        return values / self.values if self.factors else values - self.values

    def put_back(self, future: FloatArray) -> FloatArray:
        """(H,) to (H,): the steps after those values."""
        n, period = len(self.values), self.period
        ahead = self.values[n - period + np.arange(len(future)) % period] if period < n else self.values[-1]
        return future * ahead if self.factors else future + ahead


def season_of(values: FloatArray, period: int, *, fewest: int) -> Season:
    """By classical decomposition, of (n,) values: where there are so many of them, and their autocorrelation tells of one."""
    factors = bool(values.min() > 0)
    found = np.full(len(values), 1.0 if factors else 0.0)
    if period > 1 and len(values) >= fewest and _is_seasonal(values, period):
        from statsmodels.tsa.seasonal import seasonal_decompose

        found = seasonal_decompose(values, "multiplicative" if factors else "additive", period=period).seasonal
    return Season(values=found, period=period, factors=factors)


def _is_seasonal(values: FloatArray, period: int) -> bool:
    """Whether the autocorrelation at one season exceeds what shorter lags explain (Bartlett's standard error)."""
    centred = values - values.mean()
    lagged = np.array([centred[lag:] @ centred[: len(centred) - lag] for lag in range(1, period + 1)]) / (centred @ centred)
    error = np.sqrt((1 + 2 * np.square(lagged[:-1]).sum()) / len(values))
    return bool(abs(lagged[-1]) > _CRITICAL * error)
