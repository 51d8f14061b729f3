"""Whole studies on a real Ray, small enough for every test run: one worker, so that a study repeats."""

from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from cluster.samplers.tpe import Tpe
from search_spaces.base import Space
from tests.commands import tuner
from tuner.results.schema import TIMING
from tuner.results.store import RunStore
from tuner.study.trial import State
from tuner.training.network import weights_of

N_TRIALS, EPOCHS = 6, 4
STUDY = [
    "--space", "dlinear", "--dataset", "synthetic", "--horizon", 12, "--trials", N_TRIALS, "--epochs", EPOCHS,
    "--cpus-per-trial", 2, "--set", "train.windows_per_epoch=200",
]  # fmt: skip


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def printed(runs: Path) -> str:
    done = tuner("run", *STUDY, "--runs", runs, "--name", "one")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


@pytest.fixture(scope="module")
def store(runs: Path, printed: str) -> RunStore:
    return RunStore.open(runs / "one")


def test_every_trial_ends_and_the_baseline_comes_first(store: RunStore) -> None:
    rows = store.rows()
    assert [row.number for row in rows] == list(range(N_TRIALS))
    assert {row.state for row in rows} <= {State.FINISHED, State.STOPPED}
    assert rows[0].config == store.study()["baseline"]
    assert rows[0].state is State.FINISHED


def test_each_proposal_knows_all_that_has_ended(store: RunStore) -> None:
    kinds = [event["kind"] for event in store.events() if event["kind"] in ("ask", "begin", "tell")]
    assert kinds == ["ask", "begin", "tell"] * N_TRIALS


def test_a_stopped_trial_leaves_the_worker_to_the_next(store: RunStore) -> None:
    assert any(row.state is State.STOPPED for row in store.rows())


def test_only_our_lines_are_printed(printed: str) -> None:
    for word in ("ray::", "Ray instance", "INFO", "Lightning", "GPU available", "for experiment", "WARNING", "Trainer"):
        assert word not in printed


def test_the_exported_weights_are_those_of_the_best_trial(store: RunStore) -> None:
    best = min(store.rows(), key=lambda row: (row.value, row.number))
    weights = (store.folder / "best" / "weights.safetensors").read_bytes()
    assert (
        hashlib.sha256(weights).hexdigest() == json.loads((store.folder / "best" / "config.json").read_text())["weights_sha256"]
    )
    reported = hashlib.sha256(store.weights(best.number)).hexdigest()
    assert reported in {report.weights_sha256 for report in store.reports(best.number)}
    assert weights == weights_of("holdout", store.weights(best.number))


def test_the_printed_score_is_that_of_the_exported_weights(store: RunStore) -> None:
    scores = {score.who: score for score in store.scores()}
    best = min(row.value for row in store.rows() if row.value is not None)
    assert scores["best"].metrics["validation"]["mse_scaled"] == pytest.approx(best, abs=1e-6)


def test_test_rows_are_opened_once_after_the_last_trial(store: RunStore) -> None:
    kinds = [event["kind"] for event in store.events()]
    assert kinds.count("opening") == 1
    assert kinds.index("opening") > max(index for index, kind in enumerate(kinds) if kind == "tell")
    assert len(store.openings()) == 1


def test_all_are_compared_on_the_same_windows(store: RunStore) -> None:
    scores = store.scores()
    ran = [score for score in scores if score.metrics]
    assert {"best", "baseline", "naive", "seasonal_naive", "linear_closed_form"} <= {score.who for score in ran}
    assert len({tuple(score.n_windows.items()) for score in ran}) == 1


def test_the_table_has_a_row_a_trial(store: RunStore) -> None:
    with (store.folder / "trials.csv").open() as file:
        assert [int(row["number"]) for row in csv.DictReader(file)] == list(range(N_TRIALS))


def test_study_json_says_what_the_study_depends_on(store: RunStore) -> None:
    study = store.study()
    (validation,), test = study["data"]["validation"], study["data"]["test"]
    assert (validation["train"], validation["score"], test["score"]) == ([[0, 1400]], [[1400, 1600]], [[1600, 2000]])
    assert len(study["data"]["sha256"]) == 64
    assert study["versions"]["torch"].startswith("2.")


def test_show_prints_the_summary_again(store: RunStore, printed: str) -> None:
    shown = tuner("show", store.folder).stdout
    assert shown.strip()
    assert shown.strip() in printed


def write_history(path: Path, channels: list[str], n_hours: int) -> Path:
    rows = [f"2024-03-{1 + hour // 24:02d} {hour % 24:02d}:00,{','.join(['1.5'] * len(channels))}" for hour in range(n_hours)]
    path.write_text("\n".join([",".join(["date", *channels]), *rows]) + "\n")
    return path


def test_an_exported_model_forecasts_the_steps_after_a_file(store: RunStore, tmp_path: Path) -> None:
    channels = store.study()["data"]["channels"]
    history = write_history(tmp_path / "new.csv", channels, 720)
    done = tuner("predict", store.folder / "best", "--data", history, "--out", tmp_path / "forecast.csv")
    assert done.returncode == 0, done.stderr
    with (tmp_path / "forecast.csv").open() as file:
        forecast = list(csv.DictReader(file))
    assert [row["time"] for row in forecast] == [f"2024-03-31 {hour:02d}:00:00" for hour in range(12)]
    assert set(forecast[0]) == {"time", *channels}


@pytest.mark.parametrize(
    ("channels", "n_hours", "sentence"),
    [
        (
            ["a", "b", "c", "d"],
            30,
            "--data must have {lookback} rows of each series for the model's lookback and lags, series 'new' of {file} has 30; "
            "bring more of its rows, or leave it out (what to do with short series is part of a study: --short-series)",
        ),
        (["a", "c", "d"], 720, "{file}: no column is named 'b'; there are: date, a, c, d"),
    ],
    ids=["too short", "a channel missing"],
)
def test_a_file_that_does_not_fit_the_model_is_refused_in_one_sentence(
    store: RunStore, tmp_path: Path, channels: list[str], n_hours: int, sentence: str
) -> None:
    lookback = json.loads((store.folder / "best" / "config.json").read_text())["config"]["data.lookback"]
    history = write_history(tmp_path / "new.csv", channels, n_hours)
    done = tuner("predict", store.folder / "best", "--data", history, "--out", tmp_path / "forecast.csv")
    assert done.returncode == 2
    assert done.stderr == f"error: {sentence.format(lookback=lookback, file=history)}\n"
    assert not (tmp_path / "forecast.csv").exists()


def test_a_trial_repeats_in_a_fresh_process_whatever_its_hash_seed(store: RunStore) -> None:
    done = tuner("reproduce", store.folder, "--trial", N_TRIALS - 1, PYTHONHASHSEED="42")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "repeats" in done.stdout


def test_reproducing_finds_other_weights_and_a_report_that_does_not_come_again(store: RunStore, tmp_path: Path) -> None:
    (tmp_path / "study.json").write_text((store.folder / "study.json").read_text())
    lines = (store.folder / "events.jsonl").read_text().splitlines(keepends=True)
    reports = [n for n, line in enumerate(lines) if json.loads(line)["kind"] == "report" and json.loads(line)["number"] == 0]
    lines[reports[0]] = lines[reports[0]].replace(store.reports(0)[0].weights_sha256, "0" * 64)
    (tmp_path / "events.jsonl").write_text("".join([*lines, lines[reports[-1]]]))
    done = tuner("reproduce", tmp_path, "--trial", 0)
    assert done.returncode == 1
    assert "epoch 1: weights were 000000000000" in done.stdout
    assert "epoch 2: equal" in done.stdout
    assert f"ended after {EPOCHS} of {EPOCHS + 1} reports" in done.stdout


def essence(store: RunStore) -> list[dict[str, Any]]:
    """The events without what is timing."""
    return [{key: value for key, value in event.items() if key not in TIMING} for event in store.events()]


@pytest.mark.slow  # a killed study that comes to the same as one that was not says so in each test run
def test_a_study_with_one_worker_repeats_bit_for_bit(store: RunStore, runs: Path) -> None:
    done = tuner("run", *STUDY, "--runs", runs, "--name", "two")
    assert done.returncode == 0, done.stderr
    assert essence(RunStore.open(runs / "two")) == essence(store)


def test_train_gives_the_same_curve_as_a_trial(store: RunStore, tmp_path: Path) -> None:
    settings = [f"--set={key}={'none' if value is None else value}" for key, value in store.rows()[0].config.items()]
    done = tuner(
        "train", "--space", "dlinear", "--dataset", "synthetic", "--horizon", 12, "--epochs", EPOCHS, *settings,
        "--threads", 2, "--runs", tmp_path, "--name", "alone",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    alone = RunStore.open(tmp_path / "alone")
    assert [r.weights_sha256 for r in alone.reports(0)] == [r.weights_sha256 for r in store.reports(0)]
    assert f"epoch {EPOCHS}: train loss" in done.stdout


def test_more_gpus_than_there_are_is_a_mistake_that_leaves_nothing(tmp_path: Path) -> None:
    done = tuner("run", *STUDY, "--gpus-per-trial", 99, "--runs", tmp_path, "--name", "gpus")
    assert done.returncode == 2
    assert "--gpus-per-trial must not exceed the GPUs there are" in done.stderr
    assert not (tmp_path / "gpus").exists()


def test_every_argument_of_sampler_and_scheduler_is_kept(store: RunStore) -> None:
    start = next(event for event in store.events() if event["kind"] == "start")
    assert start["sampler"] == {"name": "tpe", **Tpe(Space.from_json(store.study()["space"]), 0).describe()}
    assert start["sampler"]["multivariate"] is True
    assert start["scheduler"] == {"name": "asha", "grace_epochs": 1, "reduction": 3, "rungs": [1, 3]}
