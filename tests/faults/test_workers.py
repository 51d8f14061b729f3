"""Workers that die or hang: their trials go on from their last checkpoint, to the same end."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands import tuner
from tests.faults.plugins.faulty import arm, n_armed
from tests.faults.studies import HERE, assert_same, events, states
from tuner.results.store import RunStore
from tuner.study.trial import State


@pytest.mark.slow
def test_a_trial_whose_worker_is_killed_goes_on_and_ends_with_the_same_weights(
    whole: Path, faults: Path, tmp_path: Path
) -> None:
    arm(faults, "kill", 2)
    done = tuner("run", *HERE, "--runs", tmp_path, FAULTY_FOLDER=str(faults))
    assert done.returncode == 0, done.stdout + done.stderr
    assert (done.stderr, n_armed(faults, "kill")) == ("", 0)
    lost = {"number": 0, "note": "its worker was lost", "counts": True, "n_parts": 1}
    assert events(tmp_path / "study", "pause") == [lost, lost]
    assert_same(tmp_path / "study", whole)


@pytest.mark.slow
def test_a_trial_whose_workers_are_lost_too_often_has_failed_alone(faults: Path, tmp_path: Path) -> None:
    arm(faults, "kill", 2)
    done = tuner("run", *HERE, "--retries", 1, "--runs", tmp_path, FAULTY_FOLDER=str(faults))
    assert done.returncode == 0, done.stdout + done.stderr
    row = RunStore.open(tmp_path / "study").row(0)
    assert (row.state, row.note, row.epochs) == (State.FAILED, "its worker was lost, 2 times", 2)
    assert states(tmp_path / "study")[State.FAILED] == 1
    assert "There is no yardstick: the baseline (trial 0) failed (its worker was lost, 2 times)" in " ".join(
        done.stdout.split()
    )


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["hang", "freeze"])
def test_a_trial_that_hangs_is_killed_and_goes_on_to_the_same_end(
    fault: str, whole: Path, faults: Path, tmp_path: Path
) -> None:
    arm(faults, fault, 1)
    done = tuner("run", *HERE, "--trial-timeout", "20s", "--runs", tmp_path, FAULTY_FOLDER=str(faults))
    assert done.returncode == 0, done.stdout + done.stderr
    assert (done.stderr, n_armed(faults, fault)) == ("", 0)
    overdue = {"number": 0, "note": "it reported nothing for 20 s", "counts": True, "n_parts": 1}
    assert events(tmp_path / "study", "pause") == [overdue]
    assert_same(tmp_path / "study", whole)
