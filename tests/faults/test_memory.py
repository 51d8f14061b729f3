"""Trials that want more memory than there is: by a limit of the process, and by Ray's watch over the machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands import tuner
from tests.faults.plugins.faulty import arm, n_armed
from tests.faults.studies import EPOCHS, HERE, N_TRIALS, events, states, story
from tuner.results.store import RunStore
from tuner.study.trial import State

GIB = 1 << 30


@pytest.mark.slow
def test_a_trial_out_of_memory_is_infeasible_and_the_study_goes_on(faults: Path, tmp_path: Path) -> None:
    arm(faults, "memory", 1)
    done = tuner("run", *HERE, "--runs", tmp_path, FAULTY_FOLDER=str(faults))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    told = events(tmp_path / "study", "tell")
    assert [tell["number"] for tell in told if tell["out_of_memory"]] == [0]
    assert states(tmp_path / "study")[State.INFEASIBLE] == 1
    assert "the baseline (trial 0) was infeasible" in " ".join(done.stdout.split())
    assert "can't allocate memory" in RunStore.open(tmp_path / "study").row(0).note


@pytest.mark.slow
def test_batches_that_do_not_fit_go_in_parts_with_as_many_steps(whole: Path, faults: Path, tmp_path: Path) -> None:
    arm(faults, "memory", 1_000_000)
    done = tuner("run", *HERE, "--oom", "split", "--runs", tmp_path, FAULTY_FOLDER=str(faults))
    assert done.returncode == 0, done.stdout + done.stderr
    rows = RunStore.open(tmp_path / "study").rows()
    assert {row.n_parts for row in rows if row.epochs == EPOCHS} == {2}
    assert {row.note for row in rows if row.state is State.FINISHED} == {""}
    notes = {pause["note"] for pause in events(tmp_path / "study", "pause")}
    assert notes == {"out of memory, it goes on with batches in 2 parts"}
    steps = [[(each["epoch"], each["step"]) for each in story(folder) if each["kind"] == "report" and each["number"] == 0]
             for folder in (whole, tmp_path / "study")]  # fmt: skip
    assert steps[0] == steps[1]


def memory() -> dict[str, int]:
    """What /proc says, in bytes."""
    lines = (line.split() for line in Path("/proc/meminfo").read_text().splitlines())
    return {name.rstrip(":"): int(kib) * 1024 for name, kib, *_ in lines}


@pytest.mark.slow
def test_a_worker_that_ray_kills_for_the_machines_memory_is_infeasible(faults: Path, tmp_path: Path) -> None:
    found = memory()
    if found["MemAvailable"] < 12 * GIB:
        pytest.skip("it takes 12 GiB")
    threshold = (found["MemTotal"] - found["MemAvailable"] + 6 * GIB) / found["MemTotal"]
    arm(faults, "node's memory", 1)
    done = tuner("run", *HERE, "--runs", tmp_path, FAULTY_FOLDER=str(faults), RAY_memory_usage_threshold=f"{threshold:.3f}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (done.stderr, n_armed(faults, "node's memory")) == ("", 0)
    row = RunStore.open(tmp_path / "study").row(0)
    assert (row.state, row.note) == (State.INFEASIBLE, "its worker ran out of memory")
    assert states(tmp_path / "study").total() == N_TRIALS
