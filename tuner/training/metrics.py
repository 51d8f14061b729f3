"""Metrics over all windows of a stage: sums in float64 over every observed value, never a mean of means over batches.

Errors are kept by window and channel until the end, so that no metric depends on how windows were batched.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from datasets.windows.prepared import Scaler
from tuner.study.schema import did_you_mean


@dataclass(frozen=True)
class Metric:
    """One number to rank by; lower is better."""

    name: str
    summary: str


METRICS = {
    metric.name: metric
    for metric in (
        Metric("mse_scaled", "mean squared error, in units of the z-score fitted on train rows"),
        Metric("mae_scaled", "mean absolute error, in units of the z-score fitted on train rows"),
        Metric("rmse", "root mean squared error in original units, over all channels whatever their units"),
        Metric("mae", "mean absolute error in original units, over all channels whatever their units"),
    )
}


def check_metric(name: str) -> None:
    """Proves that there is such a metric.

    Raises:
        LookupError: there is not.
    """
    if name not in METRICS:
        raise LookupError(did_you_mean(name, METRICS, "metric"))


@dataclass(frozen=True, kw_only=True)
class Score:
    """What a forecaster is worth over the same windows as all others."""

    n_windows: int
    metrics: dict[str, float]
    """By name, as in ``METRICS``."""
    channel_mae: dict[str, float]
    """Mean absolute error of each channel, in its own units."""


class ErrorSums:
    """Collects errors batch by batch. Squared errors are taken of the mean, absolute errors of the median of a forecast."""

    def __init__(self) -> None:
        self._parts: list[tuple[Float[np.ndarray, "B C"], ...]] = []

    def add(
        self,
        mean: Float[np.ndarray, "B H C"],
        median: Float[np.ndarray, "B H C"],
        target: Float[np.ndarray, "B H C"],
        observed: Bool[np.ndarray, "B H C"],
    ) -> None:
        """Adds a batch of scaled forecasts and targets."""
        truth = target.astype(np.float64)
        squared = np.where(observed, (mean.astype(np.float64) - truth) ** 2, 0.0)
        absolute = np.where(observed, np.abs(median.astype(np.float64) - truth), 0.0)
        self._parts.append((squared.sum(1), absolute.sum(1), observed.sum(1).astype(np.float64)))

    def score(self, scaler: Scaler, channels: tuple[str, ...]) -> Score:
        """The metrics over everything that was added.

        Raises:
            ValueError: nothing was observed in what was to be scored.
        """
        squared, absolute, count = (np.concatenate(part) for part in zip(*self._parts, strict=True))
        if count.sum() == 0:
            raise ValueError(
                "a score needs at least one observed value, the scored rows hold none; move the split or fill less"
            )
        by_channel = np.maximum(count.sum(0), 1)
        assert len(scaler.std) == 1, "a scaler by series needs errors by series"
        std = scaler.std[0]
        total = count.sum()
        return Score(
            n_windows=len(count),
            metrics={
                "mse_scaled": float(squared.sum() / total),
                "mae_scaled": float(absolute.sum() / total),
                "rmse": float(np.sqrt((squared.sum(0) * std**2).sum() / total)),
                "mae": float((absolute.sum(0) * std).sum() / total),
            },
            channel_mae=dict(zip(channels, (absolute.sum(0) / by_channel * std).tolist(), strict=True)),
        )
