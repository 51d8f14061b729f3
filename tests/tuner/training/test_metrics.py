from __future__ import annotations

import numpy as np
import pytest

from datasets.windows.prepared import Scaler
from tuner.training.metrics import METRICS, ErrorSums, Score

SCALER = Scaler(mean=np.array([[1.0, -2.0]]), std=np.array([[2.0, 5.0]]))
RNG = np.random.default_rng(0)
FORECAST, TARGET = RNG.normal(size=(2, 9, 4, 2))
OBSERVED = RNG.random((9, 4, 2)) > 0.3


def scored(*sizes: int, observed: np.ndarray = OBSERVED) -> Score:
    sums, start = ErrorSums(), 0
    for size in sizes:
        part = slice(start, start + size)
        sums.add(FORECAST[part], FORECAST[part], TARGET[part], observed[part])
        start += size
    return sums.score(SCALER, ("a", "b"))


def test_metrics_are_means_over_the_observed_values_of_all_windows() -> None:
    error = np.where(OBSERVED, FORECAST - TARGET, np.nan)
    raw = error * SCALER.std
    expected = {
        "mse_scaled": np.nanmean(error**2),
        "mae_scaled": np.nanmean(np.abs(error)),
        "rmse": np.sqrt(np.nanmean(raw**2)),
        "mae": np.nanmean(np.abs(raw)),
    }
    assert scored(9).metrics == pytest.approx(expected, rel=1e-12)
    assert set(expected) == set(METRICS)


def test_a_channels_error_is_in_its_own_units() -> None:
    raw = np.where(OBSERVED, np.abs(FORECAST - TARGET) * SCALER.std, np.nan)
    assert scored(9).channel_mae == pytest.approx({"a": np.nanmean(raw[..., 0]), "b": np.nanmean(raw[..., 1])}, rel=1e-12)


@pytest.mark.parametrize("sizes", [(1,) * 9, (7, 2), (4, 5)])
def test_metrics_do_not_depend_on_how_windows_are_batched(sizes: tuple[int, ...]) -> None:
    assert scored(*sizes) == scored(9)


def test_nothing_observed_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one observed value"):
        scored(9, observed=np.zeros_like(OBSERVED))
