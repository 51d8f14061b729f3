"""What the doctor prints, and its exit codes. What it finds is tested where it is found."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.commands import ROOT
from tests.tuner.results.runs import SPACE, Clock
from tuner.doctor import app
from tuner.results import schema
from tuner.results.store import RunStore
from tuner.study.study import Budget, Problem, Resources, Study

STUDY = Study(
    name="run",
    space_name="informer",
    space=SPACE,
    problem=Problem(dataset="nyc_airports", horizon=24, metric="mse_scaled"),
    budget=Budget(n_trials=3, epochs=2),
    sampler="tpe",
    scheduler="asha",
    seed=0,
    runs=Path("runs"),
    resources=Resources(),
)


def new_run(folder: Path) -> RunStore:
    store = RunStore.create(folder / "run", Clock())
    store.write_study(STUDY.to_json())
    return store


def doctor(*arguments: object) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, [str(argument) for argument in arguments])


def test_a_run_that_is_whole_ends_with_exit_code_0_and_warnings_do_not_count(tmp_path: Path) -> None:
    new_run(tmp_path).close()
    done = doctor(tmp_path / "run")
    assert done.exit_code == 0, done.stdout
    assert "warning  trials: none yet, of 3; not all is done; python -m tuner.run --resume" in done.stdout
    assert "Nothing is wrong; " in done.stdout.splitlines()[-1]


def test_a_run_that_is_damaged_ends_with_exit_code_1_and_says_what_to_do(tmp_path: Path) -> None:
    new_run(tmp_path).close()
    (tmp_path / "run" / schema.EVENTS).write_text("{\n")
    done = doctor(tmp_path / "run")
    assert done.exit_code == 1
    assert "error    line 1 of events.jsonl cannot be read" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("Something is wrong: 1 error, ")


def test_a_run_that_another_process_writes_may_be_looked_at(tmp_path: Path) -> None:
    store = new_run(tmp_path)
    done = doctor(tmp_path / "run")
    store.close()
    assert done.exit_code == 0, done.stdout
    assert "writes to it" in done.stdout


def test_a_folder_that_is_no_run_ends_with_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    done = doctor(tmp_path / "nowhere")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == f"error: a run has a study.json, {tmp_path}/nowhere has none; python -m tuner.run makes one\n"


def test_without_a_folder_the_machine_alone_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = doctor()
    assert "This machine" in done.stdout
    assert "packages: ray " in done.stdout
    assert "writes to it" not in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_neither_ray_nor_optuna_is_loaded(tmp_path: Path) -> None:
    new_run(tmp_path).close()
    code = (
        f"import sys, json; sys.argv = ['doctor', {str(tmp_path / 'run')!r}]\nfrom tuner.doctor import app\n"
        "try: app()\nexcept SystemExit: print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = json.loads(done.stdout.splitlines()[-1])
    assert "cluster.machine" in loaded
    assert not {"ray", "optuna", "pytorch_lightning"} & set(loaded)
