from __future__ import annotations

import numpy as np

from datasets.windows.prepared import PreparedData
from models.floors.pooled_regression import PooledRegression, mean_size
from tests.models.floors.data import floor_data

TABLES = [np.random.default_rng(i).gamma(4.0, size=(n, 2)) * 10**i for i, n in enumerate((80, 60))]
DATA = floor_data(TABLES, [(50, 65, 80), (30, 45, 60)], horizon=4)


def fitted(floor: PooledRegression, data: PreparedData = DATA, stage: int = 0) -> PooledRegression:
    floor.fit(data, data.stages[stage])
    return floor


def weights_of(ends: tuple[int, int], n_lags: int) -> np.ndarray:
    """Least squares, one row a pair, of all series and channels, each over its mean."""
    pairs = []
    for table, end in zip(TABLES, ends, strict=True):
        scaled = table[:end] / table[:end].mean(0)
        pairs += [scaled[t - n_lags : t + 1, c] for t in range(n_lags, end) for c in range(2)]
    rows = np.array(pairs)
    weights: np.ndarray = np.linalg.lstsq(rows[:, :-1], rows[:, -1], rcond=None)[0]
    return weights


def recursion(past: np.ndarray, weights: np.ndarray, horizon: int) -> np.ndarray:
    for _ in range(horizon):
        past = np.append(past, past[-len(weights) :] @ weights)
    return past[-horizon:]


def test_it_is_least_squares_over_the_pairs_of_all_series_applied_step_by_step() -> None:
    forecast = fitted(PooledRegression(3)).forecast(DATA, np.array([120]))
    expected = recursion(TABLES[1][:41, 1], weights_of((50, 30), 3), 4)
    np.testing.assert_allclose(forecast[0, :, 1], expected, rtol=1e-8)


def test_for_the_test_it_is_fitted_on_all_rows_before_it() -> None:
    forecast = fitted(PooledRegression(3), stage=1).forecast(DATA, np.array([120]))
    expected = recursion(TABLES[1][:41, 1], weights_of((65, 45), 3), 4)
    np.testing.assert_allclose(forecast[0, :, 1], expected, rtol=1e-8)


def test_its_lags_reach_back_one_and_a_quarter_seasons() -> None:
    weekly = floor_data([np.ones((200, 1))], [(150, 170, 200)], 4, frequency="W-SUN")
    assert [fitted(PooledRegression(), data).describe() for data in (DATA, weekly)] == ["30 lags", "65 lags"]


def test_its_lags_fit_every_scored_series() -> None:
    assert fitted(PooledRegression(100)).lookback == 30


def test_rows_put_in_front_of_a_short_series_change_nothing() -> None:
    padded = [TABLES[0], np.concatenate([np.full((20, 2), 1e9), TABLES[1]])]
    observed = np.ones((160, 2), dtype=bool)
    observed[80:100] = False
    data = floor_data(padded, [(50, 65, 80), (50, 65, 80)], 4, observed=observed)
    first, second = (fitted(PooledRegression(3), d).forecast(d, np.array([70])) for d in (DATA, data))
    np.testing.assert_allclose(first, second, rtol=1e-8)


def test_what_was_not_observed_does_not_count_for_the_mean_of_its_series() -> None:
    observed = np.ones((140, 2), dtype=bool)
    observed[10] = False
    data = floor_data(TABLES, [(50, 65, 80), (30, 45, 60)], 4, observed=observed)
    sizes = mean_size(data, np.array([[0, 50], [0, 30]]))
    np.testing.assert_allclose(sizes, [np.delete(TABLES[0][:50], 10, axis=0).mean(0), TABLES[1][:30].mean(0)])
