"""A whole study of a panel: series of unequal length with holes, covariates, folds, a distribution."""

from __future__ import annotations

import csv
import json
import math
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.commands import tuner
from tuner.results.store import RunStore

LENGTHS = {"north": 200, "south": 180, "east": 150}
REGION = {"north": "cold", "south": "warm", "east": "cold"}
HEAD = "date,shop,sales,price,promo,region"


def rows(shop: str, start: int, end: int, n_future: int = 0) -> list[str]:
    """Daily sales; promo is known ahead, through the rows without sales."""
    generator = np.random.default_rng(len(shop))
    found = []
    for day in range(start, end + n_future):
        date = np.datetime64("2024-01-01") + day
        promo = int(day % 7 in (2, 3))
        sales = round(20 + 5 * math.sin(day / 7 * 2 * math.pi) + 8 * promo + float(generator.normal()), 3)
        hole = day >= end or day % 31 == 30
        found.append(f"{date},{shop},{'' if hole else sales},{10 + day % 3},{promo},{REGION.get(shop, 'hot')}")
    return found


def table(path: Path, *parts: list[str]) -> Path:
    path.write_text("\n".join([HEAD, *(line for part in parts for line in part)]) + "\n")
    return path


PROBLEM = [
    "--series-id", "shop", "--target", "sales", "--known", "promo", "--static", "region,shop", "--fill", "forward",
    "--horizon", 7, "--folds", 2, "--metric", "crps_scaled", "--paths", 10,
]  # fmt: skip
SETTINGS = ["train.loss=student_t", "data.lookback=14", "train.windows_per_epoch=96", "model.n_heads=1", "model.head_width=8"]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def done(runs: Path) -> subprocess.CompletedProcess[str]:
    data = table(runs / "shops.csv", *(rows(shop, 0, n) for shop, n in LENGTHS.items()))
    done = tuner(
        "run", "--space", "informer", "--dataset", data, *PROBLEM, *(f"--set={setting}" for setting in SETTINGS),
        "--trials", 2, "--epochs", 2, "--cpus-per-trial", 2, "--runs", runs, "--name", "panel",
        PYTHONPROFILEIMPORTTIME="1",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def store(runs: Path, done: subprocess.CompletedProcess[str]) -> RunStore:
    return RunStore.open(runs / "panel")


def test_the_driver_loads_no_lightning(done: subprocess.CompletedProcess[str]) -> None:
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert {"torch", "ray.tune"} <= loaded
    assert not loaded & {"pytorch_lightning", "torch._dynamo"}


def test_a_report_has_the_mean_and_the_value_of_each_fold(store: RunStore) -> None:
    report = store.reports(0)[0]
    assert list(report.stages) == ["fold_1", "fold_2"]
    assert report.metrics["crps_scaled"] == pytest.approx(sum(report.stages.values()) / 2)


def test_what_was_missing_is_counted(store: RunStore) -> None:
    n_holes = sum(day % 31 == 30 for n in LENGTHS.values() for day in range(n))
    assert store.study()["data"]["n_missing"] == n_holes
    assert f"{n_holes} missing values filled" in (store.folder / "summary.md").read_text()


def test_the_best_has_weights_for_each_fold(store: RunStore) -> None:
    names = {path.name for path in (store.folder / "best").glob("*.safetensors")}
    assert names == {"weights.safetensors", "weights.fold_1.safetensors", "weights.fold_2.safetensors"}


def test_all_series_are_scored_over_the_same_windows(store: RunStore) -> None:
    windows = {tuple(score.n_windows.items()) for score in store.scores() if score.metrics}
    assert windows == {(("validation", 6), ("test", 3))}


def test_a_trial_of_a_panel_repeats_in_a_fresh_process(store: RunStore) -> None:
    done = tuner("reproduce", store.folder, "--trial", 1)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_borders_of_one_study_serve_another(store: RunStore, runs: Path) -> None:
    done = tuner(
        "train", "--space", "dlinear", "--dataset", runs / "shops.csv", *PROBLEM[:-6], "--metric", "mase", "--epochs", 1,
        "--set", "data.lookback=14", "--set", "train.loss=quantile", "--folds-file", store.folder / "study.json",
        "--runs", runs, "--name", "same-borders",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    again = RunStore.open(runs / "same-borders")
    assert again.study()["data"]["validation"] == store.study()["data"]["validation"]
    assert list(again.reports(0)[0].stages) == ["fold_1", "fold_2"]


def predict(store: RunStore, data: Path, out: Path) -> tuple[int, str]:
    done = tuner("predict", store.folder / "best", "--data", data, "--out", out, "--fill", "forward")
    return done.returncode, done.stderr


def test_a_panel_is_forecast_as_long_rows_with_quantiles(store: RunStore, tmp_path: Path) -> None:
    data = table(tmp_path / "new.csv", rows("north", 150, 220, 7), rows("south", 170, 230, 7))
    assert predict(store, data, tmp_path / "forecast.csv") == (0, "")
    with (tmp_path / "forecast.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert list(lines[0]) == ["series", "time", "channel", "mean", "quantile_0.1", "quantile_0.5", "quantile_0.9"]
    assert [(line["series"], line["channel"]) for line in lines] == [("north", "sales")] * 7 + [("south", "sales")] * 7
    assert lines[0]["time"].startswith(str(np.datetime64("2024-01-01") + 220))
    assert all(float(line["quantile_0.1"]) < float(line["quantile_0.5"]) < float(line["quantile_0.9"]) for line in lines)


def test_a_category_that_training_has_not_seen_is_refused(store: RunStore, tmp_path: Path) -> None:
    code, error = predict(store, table(tmp_path / "new.csv", rows("west", 0, 60, 7)), tmp_path / "forecast.csv")
    assert code == 2
    assert "column 'region'" in error
    assert "'hot'" in error


def test_a_covariate_that_ends_before_the_horizon_is_refused(store: RunStore, tmp_path: Path) -> None:
    code, error = predict(store, table(tmp_path / "new.csv", rows("north", 0, 60, 3)), tmp_path / "forecast.csv")
    assert code == 2
    assert "promo" in error
    assert "horizon" in error
    assert json.loads((store.folder / "best" / "study.json").read_text())["problem"]["horizon"] == 7
