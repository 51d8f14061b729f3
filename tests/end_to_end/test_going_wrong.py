"""Studies in which trials go wrong, on a real Ray."""

from __future__ import annotations

import re
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
N_TRIALS, SEED = 6, 1  # of which the baseline diverges, trial 1 takes its worker along, and two are good


@pytest.fixture(scope="module")
def printed(runs: Path) -> str:
    study = ["--trials", N_TRIALS, "--seed", SEED, "--set", "model.linger_s=5", "--runs", runs, "--name", "fragile"]
    done = tuner("run", *FRAGILE, *study)
    assert done.returncode == 0, done.stdout + done.stderr
    return re.sub(r"\s+", " ", done.stdout)


@pytest.fixture(scope="module")
def fragile(runs: Path, printed: str) -> RunStore:
    return RunStore.open(runs / "fragile")


def states(store: RunStore, fault: str) -> list[State]:
    """How the trials ended that go wrong in this way."""
    return [row.state for row in store.rows() if row.config["model.fault"] == fault]


def test_a_diverging_trial_is_infeasible_and_the_study_goes_on(fragile: RunStore) -> None:
    assert set(states(fragile, "diverge")) == {State.INFEASIBLE}
    assert len(fragile.rows()) == N_TRIALS


def test_a_worker_that_is_killed_fails_its_trial_alone(fragile: RunStore) -> None:
    assert set(states(fragile, "die")) == {State.FAILED}
    assert [row for row in fragile.rows() if row.number > 1 and row.state is State.FAILED] == []


def test_a_teardown_of_five_seconds_loses_no_trial(fragile: RunStore) -> None:
    assert set(states(fragile, "none")) == {State.FINISHED, State.STOPPED}
    stopped = next(row.number for row in fragile.rows() if row.state is State.STOPPED)
    begun_later = [event for event in fragile.events() if event["kind"] == "begin" and event["number"] > stopped]
    assert begun_later, "nothing followed the stopped trial, so nothing could be lost"


@pytest.mark.slow
def test_a_trial_that_a_warm_worker_cannot_take_goes_to_another_one(runs: Path) -> None:
    study = ["--trials", 4, "--set", "model.fault=none", "--set", "model.linger_s=6", "--runs", runs, "--name", "lost"]
    done = tuner("run", *FRAGILE[:-2], "--cpus-per-trial", 2, *study, TUNE_FUNCTION_THREAD_TIMEOUT_S="1")
    store = RunStore.open(runs / "lost")
    assert done.returncode == 0, done.stdout + done.stderr
    assert {row.state for row in store.rows()} <= {State.FINISHED, State.STOPPED}
    assert {event["note"] for event in store.events() if event["kind"] == "pause"} == {"its worker was lost"}


def test_without_a_baseline_the_summary_says_so_and_the_best_is_exported(fragile: RunStore, printed: str) -> None:
    assert fragile.rows()[0].state is State.INFEASIBLE
    assert "There is no yardstick: the baseline (trial 0) was infeasible (Diverged: the training loss became" in printed
    assert "baseline" not in {score.who for score in fragile.scores()}
    assert (fragile.folder / "best" / "weights.safetensors").exists()


@pytest.mark.slow
def test_a_study_without_a_finite_trial_ends_with_tables_and_without_a_best(runs: Path) -> None:
    done = tuner("run", *FRAGILE, "--trials", 2, "--set", "model.fault=diverge", "--runs", runs, "--name", "hopeless")
    assert done.returncode == 1, done.stderr
    assert {row.state for row in RunStore.open(runs / "hopeless").rows()} == {State.INFEASIBLE}
    assert (runs / "hopeless" / "trials.csv").exists()
    assert not (runs / "hopeless" / "best").exists()


@pytest.mark.slow
def test_a_bug_in_a_model_ends_the_study_and_names_file_and_line(runs: Path) -> None:
    line = next(
        number
        for number, text in enumerate((ROOT / "tests/end_to_end/plugins/fragile.py").read_text().splitlines(), start=1)
        if "the model is broken" in text
    )
    done = tuner("run", *FRAGILE, "--trials", 12, "--set", "model.fault=break", "--runs", runs, "--name", "broken")
    assert done.returncode == 1
    assert f'fragile.py", line {line}' in done.stderr
    assert len(RunStore.open(runs / "broken").rows()) <= 6
