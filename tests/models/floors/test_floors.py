from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import models.floors
from datasets.base import FloatArray
from datasets.windows.prepared import PreparedData
from datasets.windows.windowing import score_origins
from models.floors.base import Floor, TooLong, past
from models.floors.linear_closed_form import LinearClosedForm
from models.floors.naive import Naive
from models.floors.pooled_regression import PooledRegression
from models.floors.seasonal_naive import SeasonalNaive
from models.floors.shared.linear import check_work, window_products
from tests.models.etth1 import etth1
from tests.models.floors.data import floor_data, futures

VALUES = np.random.default_rng(0).normal(size=(400, 3)).cumsum(0) / 10
CUT = (250, 350, 400)
SCALE = VALUES[:250].std(0)


def one_series(horizon: int = 5, values: FloatArray = VALUES, cut: tuple[int, int, int] = CUT) -> PreparedData:
    return floor_data([values], [cut], horizon)


DATA = one_series()


def fitted(floor: Floor, data: PreparedData = DATA) -> Floor:
    floor.fit(data, data.stages[0])
    return floor


def windows(values: FloatArray, span: int) -> FloatArray:
    """(n, span): every window of every column."""
    return np.lib.stride_tricks.sliding_window_view(values, span, 0).reshape(-1, span)


def test_an_unknown_name_is_answered_with_those_that_exist() -> None:
    with pytest.raises(LookupError, match="no floor is named 'mean'; there are: ets, linear_closed_form, naive"):
        models.floors.get("mean")


def test_before_a_series_begins_stands_its_first_row() -> None:
    data = floor_data([VALUES[:20, :1], VALUES[100:120, :1]], [(10, 14, 20)] * 2, horizon=2)
    assert past(data, np.array([21]), 4).ravel().tolist() == [VALUES[100, 0]] * 3 + [VALUES[101, 0]]


def test_naive_repeats_the_last_value() -> None:
    assert np.array_equal(fitted(Naive()).forecast(DATA, np.array([9, 30]))[:, 4], VALUES[[9, 30]])


def test_seasonal_naive_repeats_the_last_season() -> None:
    forecast = fitted(SeasonalNaive(3)).forecast(DATA, np.array([9]))
    assert np.array_equal(forecast[0], VALUES[[7, 8, 9, 7, 8]])


def test_seasonal_naive_takes_the_datas_period() -> None:
    floor = fitted(SeasonalNaive())
    assert (floor.lookback, floor.describe()) == (24, "period 24")


def test_a_season_longer_than_every_history_falls_back_to_the_last_value() -> None:
    assert fitted(SeasonalNaive(251)).describe() == "period 1"


def test_a_series_without_a_whole_season_repeats_its_last_value() -> None:
    data = floor_data([VALUES[:100], VALUES[:20]], [(50, 75, 100), (10, 15, 20)], horizon=5)
    forecast = fitted(SeasonalNaive(), data).forecast(data, np.array([60, 112]))
    assert np.array_equal(forecast, [VALUES[37:42], VALUES[[12] * 5]])


@given(lengths=st.lists(st.integers(1, 30), min_size=1, max_size=4), span=st.integers(1, 12), n_channels=st.integers(1, 3))
@settings(deadline=None)
def test_window_products_are_the_sums_over_every_window(lengths: list[int], span: int, n_channels: int) -> None:
    generator = np.random.default_rng(0)
    tables = [generator.normal(size=(n_channels, length)) for length in lengths]
    every = [windows(table.T, span) for table in tables if table.shape[1] >= span]
    stacked = np.concatenate([np.zeros((0, span)), *every])
    np.testing.assert_allclose(window_products(iter(tables), span), stacked.T @ stacked, atol=1e-10)


def test_work_for_more_than_a_minute_is_too_long() -> None:
    check_work(np.full(1000, 10_000), [816, 608, 432, 264, 192], n_channels=1)
    with pytest.raises(TooLong, match=r"6.0e\+11 products of values, the limit is 2e\+11"):
        check_work(np.full(1000, 1_000_000), [600], n_channels=1)


def test_the_closed_form_is_ridge_regression_over_every_train_window() -> None:
    whole = windows(VALUES[:250] / SCALE, 13)
    centred = whole - whole[:, 7:8]
    before, after = centred[:, :8], centred[:, 8:]
    expected = np.linalg.solve(before.T @ before + 10 * np.eye(8), before.T @ after)
    seen = VALUES[:8]
    np.testing.assert_allclose(
        fitted(LinearClosedForm((8,), (10.0,))).forecast(DATA, np.array([7]))[0],
        expected.T @ (seen - seen[-1]) + seen[-1],
        rtol=1e-8,
    )


@pytest.mark.parametrize("first", [0, DATA.horizon - 1])
def test_the_closed_form_takes_the_candidate_of_least_error_over_the_steps_of_scored_windows_that_count(first: int) -> None:
    data = replace(DATA, first_counted=first)
    origins = score_origins(DATA.stages[0], DATA.offsets, DATA.horizon).all()

    def error(floor: Floor) -> float:
        return float(np.square((floor.forecast(DATA, origins) - futures(DATA, origins)) / SCALE)[:, first:].mean())

    pairs = [(lookback, ridge) for lookback in (4, 30, 90) for ridge in (1.0, 1000.0)]
    errors = {pair: error(fitted(LinearClosedForm((pair[0],), (pair[1],)))) for pair in pairs}
    chosen = fitted(LinearClosedForm((4, 30, 90), (1.0, 1000.0)), data)
    lookback, ridge = min(errors, key=lambda pair: errors[pair])
    assert chosen.describe() == f"lookback {lookback}, ridge {ridge:g}"


def test_the_closed_form_uses_every_series_each_in_its_own_z_scores() -> None:
    once = one_series(5, VALUES[:200], (100, 150, 200))
    twice = floor_data([VALUES[:200], 7 * VALUES[:200] + 3], [(100, 150, 200)] * 2, 5)
    first = fitted(LinearClosedForm((8,), (10.0,)), once).forecast(once, np.array([7]))
    second = fitted(LinearClosedForm((8,), (20.0,)), twice).forecast(twice, np.array([7, 207]))
    np.testing.assert_allclose(second, [first[0], 7 * first[0] + 3], rtol=1e-8)


def test_lookbacks_that_do_not_fit_every_scored_series_are_left_out() -> None:
    assert fitted(LinearClosedForm((8, 300), (1.0,))).lookback == 8
    assert fitted(LinearClosedForm((300,), (1.0,))).lookback == 245
    data = floor_data([VALUES, VALUES[:60]], [CUT, (40, 50, 60)], horizon=5)
    assert fitted(LinearClosedForm((8, 90), (1.0,)), data).lookback == 8


def test_a_series_in_which_nothing_is_scored_leaves_the_candidates_alone() -> None:
    data = floor_data([VALUES, VALUES[:60]], [CUT, (40, 50, 60)], horizon=5)
    stage = replace(data.stages[0], score=np.array([[250, 350], [0, 0]]))
    floors: list[Floor] = [LinearClosedForm((90,), (1.0,)), PooledRegression(90), SeasonalNaive(90)]
    for floor in floors:
        floor.fit(data, stage)
    assert [floor.lookback for floor in floors] == [90, 90, 90]


def test_data_without_room_for_a_window_is_refused() -> None:
    with pytest.raises(ValueError, match="a window must fit into the train rows, got horizon=50 with 50 train rows"):
        fitted(LinearClosedForm(), one_series(50, VALUES, (50, 150, 200)))


# Measured beforehand, independently, on the same windows.
@pytest.mark.parametrize(
    ("floor", "horizon", "mse", "mae"),
    [
        (Naive(), 24, 1.222, 0.671),
        (Naive(), 96, 1.294, 0.713),
        (SeasonalNaive(), 24, 0.424, 0.389),
        (SeasonalNaive(), 96, 0.512, 0.433),
        (LinearClosedForm((96,), (10.0,)), 24, 0.310, 0.350),
        (LinearClosedForm((96,), (10.0,)), 96, 0.383, 0.392),
        (LinearClosedForm(), 24, 0.311, 0.360),
        (LinearClosedForm(), 96, 0.363, 0.391),
    ],
)
def test_floors_reach_their_figures_on_etth1(floor: Floor, horizon: int, mse: float, mae: float) -> None:
    data = etth1(horizon)
    floor = fitted(floor, data)
    test = data.stages[1]
    origins = score_origins(test, data.offsets, horizon).all()
    errors = (floor.forecast(data, origins) - futures(data, origins)) / test.scalers.targets.std[0]
    assert (np.square(errors).mean(), np.abs(errors).mean()) == pytest.approx((mse, mae), abs=6e-4)
