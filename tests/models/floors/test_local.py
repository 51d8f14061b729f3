from __future__ import annotations

import warnings

import numpy as np
import pytest

from datasets.base import BoolArray, FloatArray
from datasets.windows.prepared import PreparedData
from models.floors.base import TooLong
from models.floors.ets import Ets
from models.floors.naive2 import Naive2
from models.floors.ses import Ses
from models.floors.shared.local import LocalFloor
from models.floors.shared.smoothing import smoothed
from models.floors.theta import Theta
from tests.models.floors.data import floor_data

_STEPS = np.arange(40)
SEASONAL = 50 + 0.6 * _STEPS + np.array([8.0, -3.0, -6.0, 1.0])[_STEPS % 4] + np.random.default_rng(0).normal(size=40)


class CountsValues(LocalFloor):
    """Forecasts how many values it was given."""

    name = "counts_values"

    def seconds(self, n_values: float, period: int) -> float:
        return 1.0

    def extrapolate(self, values: FloatArray, horizon: int, period: int) -> FloatArray:
        return np.full(horizon, float(len(values)))


def local_data(values: FloatArray, observed: BoolArray | None = None) -> PreparedData:
    n = len(values)
    return floor_data([values], [(n - 6, n - 3, n)], 3, frequency="QS", observed=observed)


def forecast(floor: LocalFloor, values: FloatArray) -> FloatArray:
    """(3,): from all of the values."""
    data = local_data(np.append(values, np.zeros(3))[:, None])
    floor.fit(data, data.stages[1])
    return floor.forecast(data, np.array([len(values) - 1]))[0, :, 0]


def test_fits_that_take_too_long_are_refused() -> None:
    data = floor_data([np.ones((20, 2))] * 8, [(10, 15, 20)] * 8, horizon=3)
    with pytest.raises(TooLong, match=r"48 fits, about \d+ s"):
        CountsValues().fit(data, data.stages[0])


def test_many_origins_of_one_series_are_refused() -> None:
    data = floor_data([np.ones((200, 2))], [(100, 150, 200)], horizon=3)
    with pytest.raises(TooLong, match="at each of 48 origins of a series, 96 fits"):
        CountsValues().fit(data, data.stages[0])


def test_a_series_begins_with_its_first_observed_value() -> None:
    values = np.random.default_rng(0).normal(size=(20, 1)) + 5
    observed = np.arange(20)[:, None] >= 8
    data = local_data(values, observed)
    floor = CountsValues()
    floor.fit(data, data.stages[0])
    assert floor.forecast(data, np.array([13])).ravel() == pytest.approx([6 * np.abs(values[8:14]).mean()] * 3)


def test_ses_ends_on_the_level_of_least_one_step_error() -> None:
    values = 50 + np.random.default_rng(1).normal(size=60).cumsum() + np.random.default_rng(2).normal(size=60)
    alpha, level = np.meshgrid(np.linspace(0.01, 1, 100), np.linspace(45, 55, 101))
    error = np.zeros_like(level)
    for value in values:
        error += (value - level) ** 2
        level = level + alpha * (value - level)
    np.testing.assert_allclose(forecast(Ses(), values), level.flat[np.argmin(error)], atol=0.05)


# What statsforecast 2.0.1 forecasts from SEASONAL: AutoETS(model="ANN"), Theta(season_length=4), AutoETS(season_length=4).
@pytest.mark.parametrize(
    ("floor", "expected"),
    [
        (Ses(), [71.391, 71.391, 71.391]),
        (Theta(), [84.029, 71.631, 67.799]),
        (Ets(), [82.242, 72.338, 69.794]),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_local_floors_agree_with_a_public_library(floor: LocalFloor, expected: list[float]) -> None:
    np.testing.assert_allclose(forecast(floor, SEASONAL), expected, rtol=0.003)


def test_ets_ignores_a_season_of_more_than_24_steps() -> None:
    values = 1 + np.arange(75) % 25 / 25 + np.random.default_rng(0).normal(size=75) / 50
    assert np.array_equal(Ets().extrapolate(values, 3, 25), Ets().extrapolate(values, 3, 1))


def test_ets_goes_on_with_the_last_value_where_there_are_too_few() -> None:
    assert Ets().extrapolate(np.array([1.0, 2.0, 0.5, 0.5, 0.7]), 3, 4).tolist() == [0.7] * 3


def test_theta_repeats_a_season_without_noise() -> None:
    values = np.tile([1.0, 2.0, 3.0, 4.0], 6)[:-1]
    np.testing.assert_allclose(Theta().extrapolate(values, 6, 4), [4.0, 1.0, 2.0, 3.0, 4.0, 1.0], rtol=1e-6)


def test_theta_without_a_season_is_a_level_with_half_of_the_slope_for_a_drift() -> None:
    alpha, level = smoothed(SEASONAL)
    slope = np.polyfit(np.arange(40), SEASONAL, 1)[0]
    expected = level + slope / 2 * (np.arange(3) + (1 - (1 - alpha) ** 40) / alpha)
    np.testing.assert_allclose(Theta().extrapolate(SEASONAL, 3, 1), expected, rtol=1e-9)


def test_theta_takes_a_season_as_terms_where_a_value_is_not_positive() -> None:
    values = np.tile([-1.5, 0.0, 0.5, 1.0], 6)
    np.testing.assert_allclose(forecast(Theta(), values), [-1.5, 0.0, 0.5], atol=1e-6)


def test_naive_2_repeats_a_season_at_the_last_level() -> None:
    season = np.array([1.0, 2.0, 3.0, 4.0])
    np.testing.assert_allclose(Naive2().extrapolate(np.tile(season, 6)[:-1], 6, 4), [4.0, 1.0, 2.0, 3.0, 4.0, 1.0], rtol=1e-6)
    grown = np.append(np.tile(season, 6), 2.0)  # twice the level where the next season begins
    np.testing.assert_allclose(Naive2().extrapolate(grown, 3, 4), [4.0, 6.0, 8.0], rtol=0.1)


def test_naive_2_takes_a_season_as_terms_where_a_value_is_not_positive() -> None:
    np.testing.assert_allclose(forecast(Naive2(), np.tile([-1.5, 0.0, 0.5, 1.0], 6)), [-1.5, 0.0, 0.5], atol=1e-6)


@pytest.mark.parametrize("n", [11, 12])
def test_naive_2_needs_three_whole_seasons(n: int) -> None:
    values = np.tile([1.0, 2.0, 3.0, 4.0], 3)[-n:]
    assert (len(set(Naive2().extrapolate(values, 4, 4))) == 1) == (n < 12)


@pytest.mark.parametrize(("size", "shows"), [(0.0, False), (0.55, False), (0.6, True), (2.0, True)])
def test_a_season_is_one_where_its_autocorrelation_exceeds_what_the_lags_before_it_explain(size: float, shows: bool) -> None:
    """The bound is 1.645 sqrt((1 + 2 (r1^2 + r2^2 + r3^2)) / n); at .55 it is .286, r4 is .265, and 1.645 / sqrt(n) .237."""
    values = 20 + np.random.default_rng(3).normal(size=48) + size * np.tile([1.0, -1.0, 2.0, -2.0], 12)
    assert (len(set(Naive2().extrapolate(values, 4, 4).round(9))) > 1) == shows


def test_local_floors_warn_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for floor in (Ses(), Theta(), Ets(), Naive2()):
            forecast(floor, np.append(np.arange(20.0) % 2, 1e6))
