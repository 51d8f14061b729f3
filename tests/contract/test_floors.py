"""What holds for every floor, asked of each name in ``models.floors``."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import models.floors
from datasets.base import FloatArray
from datasets.windows.prepared import PreparedData, Stage
from datasets.windows.windowing import score_origins
from models.floors.base import Floor
from tests.models.floors.data import floor_data

HORIZON = 5
TABLES = [np.random.default_rng(i).normal(size=(n, 2)).cumsum(0) + np.array([60.0, 700.0]) for i, n in enumerate((130, 90, 70))]
BORDERS = [(90, 110, 130), (60, 75, 90), (40, 55, 70)]
DATA = floor_data(TABLES, BORDERS, HORIZON, "W-MON")
VALIDATION, TEST = DATA.stages

every_floor = pytest.mark.parametrize("name", models.floors.names())


def fitted(name: str, data: PreparedData = DATA, stage: Stage = VALIDATION) -> Floor:
    floor = models.floors.get(name)()
    floor.fit(data, stage)
    return floor


def with_values(values: FloatArray) -> PreparedData:
    return replace(DATA, values=values)


def fit_reads_values(name: str) -> bool:
    first, second = (fitted(name, data).forecast(DATA, np.array([100])) for data in (DATA, with_values(DATA.values**2)))
    return not np.array_equal(first, second)


READING = [name for name in models.floors.names() if fit_reads_values(name)]


def test_the_floors_whose_fit_reads_values_are_found() -> None:
    assert {"linear_closed_form", "pooled_regression"} <= set(READING)
    assert not {"naive", "naive2", "seasonal_naive", "ses", "theta", "ets"} & set(READING)


@every_floor
def test_a_floor_has_the_name_of_its_module(name: str) -> None:
    assert models.floors.get(name).name == name


@every_floor
def test_a_forecast_is_bit_equal_whatever_the_other_origins_are(name: str) -> None:
    floor = fitted(name)
    origins = score_origins(VALIDATION, DATA.offsets, HORIZON).all()
    origins = origins[:: len(origins) // 7] if floor.lookback == 0 else np.resize(origins, 600)
    whole = floor.forecast(DATA, origins)
    assert whole.shape == (len(origins), HORIZON, 2)
    for size in (1, 7, 512):
        parts = [floor.forecast(DATA, origins[i : i + size]) for i in range(0, len(origins), size)]
        assert np.array_equal(np.concatenate(parts), whole)


@every_floor
@pytest.mark.parametrize(("stage", "row"), [(VALIDATION, 70), (TEST, 80)], ids=["validation", "test"])
def test_a_forecast_reads_its_series_up_to_its_origin_and_nothing_else(name: str, stage: Stage, row: int) -> None:
    floor, start, origin = fitted(name, stage=stage if models.floors.get(name).refits else VALIDATION), 130, 130 + row
    values = np.full_like(DATA.values, 1e6)
    values[start : origin + 1] = DATA.values[start : origin + 1]
    first, second = (floor.forecast(data, np.array([origin])) for data in (DATA, with_values(values)))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("name", READING)
def test_fitting_reads_nothing_after_the_scored_rows(name: str) -> None:
    values = DATA.values.copy()
    for offset, (_, end, _) in zip(DATA.offsets[:-1], BORDERS, strict=True):
        values[offset + end : offset + end + 15] = 1e6
    first, second = (fitted(name, data).forecast(DATA, np.array([100])) for data in (DATA, with_values(values)))
    assert np.array_equal(first, second)


@pytest.mark.parametrize("name", [name for name in READING if models.floors.get(name).refits])
def test_a_floor_that_is_fitted_again_for_the_test_reads_nothing_that_the_test_scores(name: str) -> None:
    values = DATA.values.copy()
    for offset, (_, start, _) in zip(DATA.offsets[:-1], BORDERS, strict=True):
        values[offset + start : offset + start + 15] = 1e6
    first, second = (fitted(name, data, TEST).forecast(DATA, np.array([100])) for data in (DATA, with_values(values)))
    assert np.array_equal(first, second)


@every_floor
def test_a_floor_repeats_itself(name: str) -> None:
    first, second = fitted(name), fitted(name)
    assert first.describe() == second.describe()
    assert np.array_equal(first.forecast(DATA, np.array([95])), second.forecast(DATA, np.array([95])))


@every_floor
def test_forecasts_are_in_the_unit_of_the_values(name: str) -> None:
    large = floor_data([1000 * table for table in TABLES], BORDERS, HORIZON, "W-MON")
    small, thousandfold = (fitted(name, data, data.stages[0]).forecast(data, np.array([95])) for data in (DATA, large))
    np.testing.assert_allclose(thousandfold, 1000 * small, rtol=1e-6)


@every_floor
def test_constant_and_very_short_series_get_finite_forecasts(name: str) -> None:
    tables = [TABLES[0], np.zeros((25, 2)), np.full((24, 2), 7.0), np.arange(22.0).reshape(11, 2)]
    data = floor_data(tables, [BORDERS[0], (15, 20, 25), (14, 19, 24), (1, 6, 11)], HORIZON, "W-MON")
    forecast = fitted(name, data, data.stages[0]).forecast(data, data.offsets[1:] - HORIZON - 1)
    assert np.isfinite(forecast).all()
    np.testing.assert_allclose(forecast[1:3], np.broadcast_to([[[0.0]], [[7.0]]], (2, HORIZON, 2)), atol=0.5)
