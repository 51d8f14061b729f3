"""The end of a study of one trial on two folds, from its weights to the exported folder."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import safetensors.torch

from cluster.finish import ScoreMismatch, compare_and_export
from datasets.config import Columns
from datasets.windows.prepared import Scalers
from search_spaces.base import Config, Space
from tests.tuner.training.data import synthetic
from tuner.results.store import RunStore, best_row
from tuner.study.study import Problem
from tuner.study.trial import Decision, Report, State
from tuner.training.evaluate import NotRun, evaluate_weights
from tuner.training.spec import TrialSpec
from tuner.training.trial import run_trial

EXAMPLE = synthetic(n_folds=2)
OPENED = EXAMPLE.opened()
CONFIG: Config = {"data.lookback": 24, "train.windows_per_epoch": 64, "train.loss": "student_t"}
SPEC = TrialSpec(model="dlinear", config=CONFIG, seed=0, epochs=1, metric="mse_scaled", n_paths=5)
STUDY: dict[str, Any] = {
    "name": "two folds",
    "space": Space("dlinear", CONFIG).to_json(),
    "problem": Problem(dataset="synthetic", horizon=12, metric="mse_scaled", n_paths=5, columns=Columns(time="time")).to_json(),
    "data": {"channels": list(OPENED.channels), "covariates": [], "categories": {}, "frequency": "h"},
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> RunStore:
    store = RunStore.create(tmp_path_factory.mktemp("runs") / "one")
    store.write_study(STUDY)
    store.config(0, CONFIG, 0)
    store.begin(0)

    def keep(report: Report) -> Decision:
        store.report(0, report)
        return Decision.CONTINUE

    run_trial(SPEC, EXAMPLE.for_trials(), keep)
    store.tell(0, State.FINISHED)
    return store


@pytest.fixture(scope="module")
def best(trained: RunStore) -> Path:
    row = best_row(trained.rows())
    assert row is not None
    slow = NotRun(who="ets", note="it would take hours")
    return compare_and_export(trained, OPENED, [evaluate_weights("best", SPEC, trained.weights(0), OPENED), slow], row)


def test_the_weights_of_each_fold_are_exported_and_those_of_the_last_are_the_model(best: Path, trained: RunStore) -> None:
    assert sorted(path.name for path in best.glob("*.safetensors")) == [
        "weights.fold_1.safetensors", "weights.fold_2.safetensors", "weights.safetensors",
    ]  # fmt: skip
    weights = safetensors.torch.load((best / "weights.safetensors").read_bytes())
    whole = safetensors.torch.load(trained.weights(0))
    assert {f"fold_2.{key}": tensor.tolist() for key, tensor in weights.items()} == {
        key: tensor.tolist() for key, tensor in whole.items() if key.startswith("fold_2.")
    }
    assert (best / "weights.fold_2.safetensors").read_bytes() == (best / "weights.safetensors").read_bytes()


def test_the_exported_scalers_are_those_of_the_test_stage_bit_for_bit(best: Path) -> None:
    record = json.loads((best / "scaler.json").read_text())
    assert (record["series"], record["channels"]) == (["synthetic"], list("abcd"))
    assert Scalers.from_json(record).to_json() == OPENED.stages[-1].scalers.to_json()


def test_a_floor_that_was_not_run_is_shown_without_a_score(best: Path, trained: RunStore) -> None:
    score = next(score for score in trained.scores() if score.who == "ets")
    assert (score.n_windows, score.metrics, score.note) == ({}, {}, "not run: it would take hours")


def test_the_python_in_the_readme_forecasts_a_table(
    best: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    times = pd.date_range(EXAMPLE.panel.start_times[0], periods=100, freq="h").rename("time")
    pd.DataFrame(EXAMPLE.panel.values[:100], index=times, columns=list("abcd")).to_csv(tmp_path / "my_table.csv")
    monkeypatch.chdir(tmp_path)
    exec((best / "README.md").read_text().split("```python\n")[1].split("```")[0], {})
    assert capsys.readouterr().out == "(1, 12, 4)\n"


def test_weights_that_are_not_worth_what_was_reported_are_not_exported(trained: RunStore) -> None:
    row = best_row(trained.rows())
    assert row is not None
    assert row.value is not None
    evaluation = evaluate_weights("best", SPEC, trained.weights(0), OPENED)
    with pytest.raises(ScoreMismatch, match="trial 0 reported mse_scaled="):
        compare_and_export(trained, OPENED, [evaluation], replace(row, value=row.value * (1 + 1e-3)))


def test_weights_may_differ_by_what_another_device_rounds(trained: RunStore) -> None:
    row = best_row(trained.rows())
    assert row is not None
    assert row.value is not None
    evaluation = evaluate_weights("best", SPEC, trained.weights(0), OPENED)
    near = float(np.nextafter(row.value, 1))
    assert compare_and_export(trained, OPENED, [evaluation], replace(row, value=near)).is_dir()


def test_the_readme_leaves_out_the_steps_that_did_not_count_and_rounds(trained: RunStore) -> None:
    row = best_row(trained.rows())
    assert row is not None
    evaluation = evaluate_weights("best", SPEC, trained.weights(0), OPENED)
    best = compare_and_export(trained, replace(OPENED, first_counted=11, whole_numbers=True), [evaluation], row)
    readme = (best / "README.md").read_text()
    assert "    first_counted=11," in readme
    assert "    whole_numbers=True," in readme
