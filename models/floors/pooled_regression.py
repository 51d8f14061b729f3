"""One linear autoregression over all series: the global baseline of the Monash archive."""

from __future__ import annotations

import numpy as np

from datasets.base import FloatArray, IntArray
from datasets.windows.prepared import PreparedData, Stage
from models.floors.base import rows_before, scored_history
from models.floors.shared.linear import check_work, linear_forecast, tables, window_products


class PooledRegression:
    """Least squares of the next value on the last n values, without intercept, one weight for each lag.

    Godahewa et al., "Monash Time Series Forecasting Archive", NeurIPS Datasets and Benchmarks 2021. Every series is
    divided by its mean, the pairs of all series are pooled, n is 1.25 seasons. Forecasts of later steps build on those of
    earlier ones.

    The archive fits on all rows before its test; its published errors rest on that. So this one is fitted on all rows before
    those that the stage scores: for the test, validation rows are among them. Differences: the mean is that of sizes, which
    is the same for the positive series of the archive and cannot be 0 by cancelling; channels count as series; weights that
    the data leaves open are the smallest.

    Args:
        n_lags: None takes 1.25 seasons, rounded, at most what every scored series and the longest one have.
    """

    name = "pooled_regression"
    refits = True

    def __init__(self, n_lags: int | None = None) -> None:
        self._n_lags = n_lags
        self.lookback = n_lags or 0

    def fit(self, data: PreparedData, stage: Stage) -> None:
        """Solves for the weights, and builds from them the map to the whole horizon.

        Raises:
            ValueError: no series has two rows before those that are scored.
            TooLong: there are too many windows.
        """
        rows = rows_before(data, stage)
        lengths = np.diff(rows)[:, 0]
        longest = min(int(lengths.max()) - 1, int(scored_history(stage, data.horizon).min(initial=lengths.max())))
        if longest < 1:
            raise ValueError(
                f"a pooled regression needs 2 rows before those that are scored, got {lengths.max()} (stage {stage.name}); "
                "bring more data"
            )
        self.lookback = min(self._n_lags or max(1, round(1.25 * data.period)), longest)
        check_work(lengths, [self.lookback + 1], len(data.channels))
        size = mean_size(data, rows)
        products = window_products(tables(data, rows, np.zeros_like(size), size), self.lookback + 1)
        one_step = np.linalg.lstsq(products[:-1, :-1], products[:-1, -1], rcond=None)[0]
        self._weights = _recursive(one_step, data.horizon)

    def forecast(self, data: PreparedData, origins: IntArray) -> FloatArray:
        """(n,) to (n, H, C)."""
        return linear_forecast(data, origins, self._weights, centred=False)

    def describe(self) -> str:
        """The number of lags."""
        return f"{self.lookback} lags"


def mean_size(data: PreparedData, rows: IntArray) -> FloatArray:
    """(n_series, C): the mean of the absolute values that were observed in the rows; 1 where that is 0."""
    sizes = np.ones((len(rows), len(data.channels)))
    for i, (offset, (start, end)) in enumerate(zip(data.offsets[:-1], rows, strict=True)):
        observed = data.observed[offset + start : offset + end]
        sums = np.abs(data.values[offset + start : offset + end]).sum(axis=0, where=observed)
        np.divide(sums, observed.sum(axis=0), out=sizes[i], where=sums > 0)
    return sizes


def _recursive(one_step: FloatArray, horizon: int) -> FloatArray:
    """(H, L): the map from the past to each step, where a step takes the forecasts before it for values."""
    lookback = len(one_step)
    steps = np.eye(lookback + horizon, lookback)
    for step in range(lookback, lookback + horizon):
        steps[step] = one_step @ steps[step - lookback : step]
    return np.ascontiguousarray(steps[lookback:])


FLOOR = PooledRegression
