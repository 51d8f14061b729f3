from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import models.floors
from datasets.base import FloatArray
from models.floors.base import Floor
from models.floors.linear_closed_form import LinearClosedForm
from models.floors.naive import Naive
from models.floors.seasonal_naive import SeasonalNaive
from tests.models.etth1 import TEST_END, TRAIN_END, VALIDATION_END, etth1_values, prepared

VALUES = np.random.default_rng(0).normal(size=(400, 3)).cumsum(0) / 10


def fitted(floor: Floor, horizon: int = 5, values: FloatArray = VALUES) -> Floor:
    data = prepared(values, horizon, train_end=250, score_end=350)
    floor.fit(data, data.stages[0])
    return floor


def windows(values: FloatArray, steps: int, starts: FloatArray) -> FloatArray:
    return np.lib.stride_tricks.sliding_window_view(values, steps, 0)[starts].transpose(0, 2, 1)


def test_there_are_three_floors() -> None:
    assert models.floors.names() == ["linear_closed_form", "naive", "seasonal_naive"]
    with pytest.raises(LookupError, match="no floor is named 'mean'; there are: linear_closed_form, naive"):
        models.floors.get("mean")


@pytest.mark.parametrize("name", models.floors.names())
def test_a_forecast_is_bit_equal_at_every_batch_size(name: str) -> None:
    floor = fitted(models.floors.get(name)(), horizon=24)
    past = np.random.default_rng(1).normal(size=(512, floor.lookback, 3))
    whole = floor.forecast(past)
    assert whole.shape == (512, 24, 3)
    for size in (1, 7, 512):
        parts = [floor.forecast(past[i : i + size]) for i in range(0, 512, size)]
        assert np.array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize("name", models.floors.names())
def test_fitting_reads_nothing_after_the_validation_rows(name: str) -> None:
    changed = VALUES.copy()
    changed[350:] = 1e6
    past = VALUES[None, :250]
    floors = [fitted(models.floors.get(name)(), values=values) for values in (VALUES, changed)]
    first, second = (floor.forecast(past[:, -floor.lookback :]) for floor in floors)
    assert np.array_equal(first, second)


def test_naive_repeats_the_last_value() -> None:
    floor = fitted(Naive(), horizon=2)
    assert floor.forecast(np.array([[[3.0, 4.0]]])).tolist() == [[[3.0, 4.0], [3.0, 4.0]]]


def test_seasonal_naive_repeats_the_last_season() -> None:
    floor = fitted(SeasonalNaive(3), horizon=5)
    past = np.array([9.0, 1.0, 2.0, 3.0]).reshape(1, 4, 1)
    assert floor.forecast(past).ravel().tolist() == [1, 2, 3, 1, 2]


def test_seasonal_naive_takes_the_datas_period() -> None:
    floor = fitted(SeasonalNaive())
    assert (floor.lookback, floor.describe()) == (24, "period 24")


def test_the_closed_form_is_ridge_regression_over_every_train_window() -> None:
    floor = fitted(LinearClosedForm((8,), (10.0,)), horizon=5)
    whole = windows(VALUES[:250].astype(np.float32).astype(np.float64), 13, np.arange(250 - 12))
    centred = (whole - whole[:, 7:8]).transpose(0, 2, 1).reshape(-1, 13)
    past, future = centred[:, :8], centred[:, 8:]
    expected = np.linalg.solve(past.T @ past + 10 * np.eye(8), past.T @ future)
    seen = VALUES[None, :8]
    np.testing.assert_allclose(
        floor.forecast(seen), np.einsum("blc,lh->bhc", seen - seen[:, -1:], expected) + seen[:, -1:], rtol=1e-8
    )


def test_the_closed_form_takes_the_candidate_of_least_validation_error() -> None:
    def error(floor: Floor) -> float:
        starts = np.arange(250, 350 - 5 + 1)
        forecast = floor.forecast(windows(VALUES, floor.lookback, starts - floor.lookback))
        return float(np.square(forecast - windows(VALUES, 5, starts)).mean())

    pairs = [(lookback, ridge) for lookback in (4, 30, 90) for ridge in (1.0, 1000.0)]
    errors = {pair: error(fitted(LinearClosedForm((pair[0],), (pair[1],)))) for pair in pairs}
    chosen = fitted(LinearClosedForm((4, 30, 90), (1.0, 1000.0)))
    lookback, ridge = min(errors, key=lambda pair: errors[pair])
    assert chosen.describe() == f"lookback {lookback}, ridge {ridge:g}"


def test_the_closed_form_uses_every_series_and_joins_none() -> None:
    data = prepared(VALUES[:300], 5, 100, 150)
    stage = replace(data.stages[0], train=np.array([[0, 100]] * 2), score=np.array([[100, 150]] * 2))
    twice = replace(data, values=np.concatenate([data.values[:150]] * 2), offsets=np.array([0, 150, 300]), stages=(stage,))
    once, both = LinearClosedForm((8,), (10.0,)), LinearClosedForm((8,), (20.0,))
    once.fit(data, data.stages[0])
    both.fit(twice, stage)
    np.testing.assert_allclose(once.forecast(VALUES[None, :8]), both.forecast(VALUES[None, :8]), rtol=1e-8)


def test_lookbacks_that_do_not_fit_are_left_out() -> None:
    assert fitted(LinearClosedForm((8, 300), (1.0,))).lookback == 8
    assert fitted(LinearClosedForm((300,), (1.0,))).lookback == 245


def test_data_without_room_for_a_window_is_refused() -> None:
    with pytest.raises(ValueError, match="a window must fit into the train rows, got horizon=250 with 250 train rows"):
        fitted(LinearClosedForm(), horizon=250)


def etth1_score(floor: Floor, horizon: int) -> tuple[float, float]:
    values = etth1_values()
    data = prepared(values[:VALIDATION_END], horizon, TRAIN_END, VALIDATION_END)
    floor.fit(data, data.stages[0])
    starts = np.arange(VALIDATION_END, TEST_END - horizon + 1)
    errors = floor.forecast(windows(values, floor.lookback, starts - floor.lookback)) - windows(values, horizon, starts)
    return float(np.square(errors).mean()), float(np.abs(errors).mean())


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
    assert etth1_score(floor, horizon) == pytest.approx((mse, mae), abs=6e-4)


def test_a_season_longer_than_the_history_falls_back_to_the_last_value() -> None:
    values = np.random.default_rng(0).normal(size=(300, 2))
    data = prepared(values, horizon=3, train_end=200, score_end=300, period=1440)
    floor = SeasonalNaive()
    floor.fit(data, data.stages[0])
    assert floor.lookback == 1
