"""From a file to stages: what is left out, and that nothing of what is scored is seen before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import models.floors
from datasets.config import SPLITS, Columns
from tuner.study.folds import folds_record
from tuner.study.problem_data import ProblemData, read_problem
from tuner.study.study import Problem

HORIZON, LOOKBACK = 4, 8
NAN = float("nan")
Table = dict[str, np.ndarray]


def table(**lengths: int) -> Table:
    """Columns y and x of each series."""
    generator = np.random.default_rng(0)
    return {name: generator.normal(10.0, 1.0, (n, 2)) for name, n in lengths.items()}


def read(folder: Path, data: Table, lookback: int = LOOKBACK, **more: Any) -> ProblemData:
    days = np.datetime64("2024-01-01") + np.arange(200)
    lines = [f"{days[i]},{name},{y},{x}" for name, rows in data.items() for i, (y, x) in enumerate(rows)]
    path = folder / "data.csv"
    path.write_text("\n".join(["date,id,y,x", *lines]).replace("nan", "") + "\n")
    columns = Columns(target=("y",), series_id="id")
    return read_problem(
        Problem(**{"dataset": str(path), "horizon": HORIZON, "metric": "mae", "columns": columns, **more}), lookback
    )


@pytest.mark.parametrize("whole_numbers", [False, True])
def test_what_trials_and_the_evaluation_get_says_whether_forecasts_are_rounded(tmp_path: Path, whole_numbers: bool) -> None:
    data = read(tmp_path, table(a=60), whole_numbers=whole_numbers)
    assert (data.for_trials().whole_numbers, data.opened().whole_numbers) == (whole_numbers, whole_numbers)


@pytest.mark.parametrize(("last_step_only", "first"), [(False, 0), (True, HORIZON - 1)])
def test_what_trials_and_the_evaluation_get_says_which_steps_count(tmp_path: Path, last_step_only: bool, first: int) -> None:
    data = read(tmp_path, table(a=60), last_step_only=last_step_only)
    assert (data.for_trials().first_counted, data.opened().first_counted) == (first, first)


def folds_file(folder: Path, data: ProblemData) -> Path:
    path = folder / "study.json"
    path.write_text(json.dumps({"data": folds_record(data.panel, data.validation, data.test)}))
    return path


def test_changing_test_rows_moves_no_forecast_of_a_padded_series(tmp_path: Path) -> None:
    data, forecasts = table(a=60, b=10), []
    for change in (0.0, 100.0):
        data["b"][-HORIZON:] += change
        opened = read(tmp_path, data, short_series="pad").opened()
        floor = models.floors.get("naive")()
        floor.fit(opened, opened.stages[1])
        forecasts.append(floor.forecast(opened, opened.offsets[1:] - HORIZON - 1))
    np.testing.assert_array_equal(*forecasts)


@pytest.mark.parametrize(("n", "kept"), [(9, ("a", "b")), (8, ("a",)), (3, ("a",))])
def test_a_series_whose_rows_are_all_scored_is_not_padded_but_left_out(tmp_path: Path, n: int, kept: tuple[str, ...]) -> None:
    data = read(tmp_path, table(a=60, b=n), short_series="pad")
    assert (data.panel.series, data.n_series_read) == (kept, 2)


@pytest.mark.parametrize("fill", ["forward", "seasonal"])
@pytest.mark.parametrize("n_folds", [1, 2])
def test_changing_rows_that_are_scored_moves_no_train_row_and_no_scaler(tmp_path: Path, fill: str, n_folds: int) -> None:
    data, seen = table(a=60, b=50, c=40), []
    first = {name: len(rows) - (1 + n_folds) * HORIZON for name, rows in data.items()}
    data["a"][: first["a"], 0] = data["b"][: first["b"], 1] = data["c"][: first["c"] - 1] = NAN
    for change in (0.0, 100.0):
        for name, rows in data.items():
            rows[first[name] :] += change
        problem = read(tmp_path, data, fill=fill, n_folds=n_folds, short_series="drop")
        stage = problem.for_trials().stages[0]
        train = slice(0, int(stage.train[0, 1]))
        seen.append(
            (problem.panel.series, problem.panel.values[train], problem.panel.covariates[train], stage.scalers.to_json())
        )
    assert seen[0][0] == ("c",)
    for before, after in zip(*seen, strict=True):
        np.testing.assert_equal(after, before)


@pytest.mark.parametrize(("column", "name"), [(0, "y"), (1, "x")])
def test_a_column_without_a_train_value_is_refused_and_named(tmp_path: Path, column: int, name: str) -> None:
    data = table(a=60, b=50)
    data["b"][:42, column] = NAN
    with pytest.raises(ValueError, match=rf"got none of '{name}' in series 'b' \(1 of 2 are so\); .*--short-series drop"):
        read(tmp_path, data, fill="forward")
    data["b"][41, column] = 3.0
    assert read(tmp_path, data, fill="forward").panel.series == ("a", "b")


def test_a_missing_value_is_named_before_a_series_that_is_short(tmp_path: Path) -> None:
    data = table(a=60, b=9)
    data["b"][:] = NAN
    with pytest.raises(ValueError, match="values must not be missing, got 18 empty"):
        read(tmp_path, data)


def test_zero_stands_for_a_covariate_without_a_train_value_but_not_for_a_target(tmp_path: Path) -> None:
    data = table(a=60, b=50)
    data["b"][:45, 1] = NAN
    assert read(tmp_path, data, fill="zero").panel.series == ("a", "b")
    data["b"][:45, 0] = NAN
    with pytest.raises(ValueError, match="got none of 'y' in series 'b'"):
        read(tmp_path, data, fill="zero")


def test_a_series_is_short_by_its_own_length_where_rounding_makes_holes(tmp_path: Path) -> None:
    found = {}
    for n in range(14, 40):
        data = read(tmp_path, table(a=90, b=n), 2, horizon=3, split="fractions", short_series="drop")
        found[n] = "b" in data.panel.series
        borders = SPLITS["fractions"](n, 3)
        assert found[n] == (borders.train_end >= 5 and borders.val_end - borders.train_end >= 3 and n - borders.val_end >= 3)
    assert (found[17], found[20], found[39]) == (True, False, True)


def test_rows_needed_are_enough_for_all_that_are_longer(tmp_path: Path) -> None:
    padded = read(tmp_path, table(a=90, b=20), 2, horizon=3, split="fractions", short_series="pad")
    fewest = int(padded.panel.lengths[1])
    for n in range(fewest, fewest + 40):
        assert read(tmp_path, table(a=90, b=n), 2, horizon=3, split="fractions", short_series="pad").panel.lengths[1] == n


@pytest.mark.parametrize("rule", ["drop", "pad"])
def test_a_folds_file_brings_its_series_and_the_rows_in_front(tmp_path: Path, rule: str) -> None:
    data = table(a=80, b=26, c=22, d=3)
    first = read(tmp_path, data, n_folds=3, short_series=rule)
    again = read(tmp_path, data, 4, short_series=rule, folds_file=folds_file(tmp_path, first))
    assert again.sha256 == first.sha256
    assert again.panel.series == (("a",) if rule == "drop" else ("a", "b", "c"))
    np.testing.assert_array_equal(again.test.score, first.test.score)


def test_a_folds_file_that_leaves_no_room_for_a_longer_lookback_is_refused(tmp_path: Path) -> None:
    path = folds_file(tmp_path, read(tmp_path, table(a=80, b=26), short_series="pad"))
    with pytest.raises(
        ValueError, match=r"leave room for 30 past rows .* got 72 train rows and 18 before .* stage holdout; use a shor"
    ):
        read(tmp_path, table(a=80, b=26), 30, short_series="pad", folds_file=path)
