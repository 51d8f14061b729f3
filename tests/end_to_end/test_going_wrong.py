"""Studies in which trials go wrong, on a real Ray."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands import ROOT, tuner
from tuner.results.store import RunStore
from tuner.study.trial import State


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


FRAGILE = [
    "--space", "tests.end_to_end.plugins.fragile", "--dataset", "synthetic", "--horizon", 12, "--sampler", "random",
    "--epochs", 2, "--cpus-per-trial", 1,
]  # fmt: skip


@pytest.fixture(scope="module")
def fragile(runs: Path) -> RunStore:
    done = tuner("run", *FRAGILE, "--trials", 6, "--set", "model.linger_s=5", "--runs", runs, "--name", "fragile")
    assert done.returncode == 0, done.stdout + done.stderr
    return RunStore.open(runs / "fragile")


def test_a_diverging_trial_is_infeasible_and_the_study_goes_on(fragile: RunStore) -> None:
    exploded = [row for row in fragile.rows() if row.config["model.explode"]]
    assert exploded
    assert {row.state for row in exploded} == {State.INFEASIBLE}
    assert len(fragile.rows()) == 6


def test_a_teardown_of_five_seconds_loses_no_trial(fragile: RunStore) -> None:
    good = [row for row in fragile.rows() if not row.config["model.explode"]]
    assert {row.state for row in good} <= {State.FINISHED, State.STOPPED}
    assert any(row.state is State.STOPPED for row in good)


def test_a_study_without_a_finite_trial_ends_with_tables_and_without_a_best(runs: Path) -> None:
    done = tuner("run", *FRAGILE, "--trials", 2, "--set", "model.explode=true", "--runs", runs, "--name", "hopeless")
    assert done.returncode == 1, done.stderr
    assert {row.state for row in RunStore.open(runs / "hopeless").rows()} == {State.INFEASIBLE}
    assert (runs / "hopeless" / "trials.csv").exists()
    assert not (runs / "hopeless" / "best").exists()


def test_a_bug_in_a_model_ends_the_study_and_names_file_and_line(runs: Path) -> None:
    line = next(
        number
        for number, text in enumerate((ROOT / "tests/end_to_end/plugins/fragile.py").read_text().splitlines(), start=1)
        if "the model is broken" in text
    )
    settings = ["--set", "model.breaks=true", "--set", "model.explode=false"]
    done = tuner("run", *FRAGILE, "--trials", 12, *settings, "--runs", runs, "--name", "broken")
    assert done.returncode == 1
    assert f'fragile.py", line {line}' in done.stderr
    assert len(RunStore.open(runs / "broken").rows()) <= 6
