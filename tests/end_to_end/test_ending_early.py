"""Studies that end before all of their trials, on a real Ray."""

from __future__ import annotations

import os
import signal
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import Popen

import pytest

from tests.commands import start_tuner, tuner
from tuner.results.store import RunStore
from tuner.study.trial import State

TIMEOUT_S = 240
ENDLESS = [
    "--space", "tests.end_to_end.plugins.fragile", "--set", "model.fault=none", "--dataset", "synthetic", "--horizon", 12,
    "--trials", 10_000, "--epochs", 1, "--cpus-per-trial", 1, "--name", "endless",
]  # fmt: skip


@pytest.mark.slow
def test_time_that_is_up_ends_a_study_with_its_best_exported(tmp_path: Path) -> None:
    done = tuner("run", *ENDLESS, "--time", "6s", "--runs", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = RunStore.open(tmp_path / "endless").rows()
    assert 0 < len(rows) < 10_000
    assert State.RUNNING not in {row.state for row in rows}
    assert f"{len(rows)} trials of 10000" in done.stdout
    assert (tmp_path / "endless" / "best" / "weights.safetensors").exists()


@contextmanager
def running(process: Popen[str]) -> Iterator[Popen[str]]:
    """Whatever a test finds, the process does not outlive it."""
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def n_ended(folder: Path) -> int:
    return (folder / "events.jsonl").read_text().count('"tell"') if (folder / "events.jsonl").exists() else 0


def dashboard_status(process: Popen[str]) -> int:
    """What the dashboard answers at the address that a study prints."""
    assert process.stdout
    line = next(line for line in process.stdout if line.startswith("dashboard: "))
    with urllib.request.urlopen(line.split()[1], timeout=60) as answer:
        status: int = answer.status
    return status


@pytest.mark.slow
def test_an_interrupt_keeps_what_had_ended_and_says_what_was_found(tmp_path: Path) -> None:
    folder, deadline = tmp_path / "endless", time.monotonic() + TIMEOUT_S
    with running(start_tuner("run", *ENDLESS, "--runs", tmp_path)) as process:
        assert dashboard_status(process) == 200
        while n_ended(folder) < 3 and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        n_before = n_ended(folder)
        process.send_signal(signal.SIGINT)
        printed, errors = process.communicate(timeout=TIMEOUT_S)
    assert process.returncode == 130, printed + errors
    assert "Best is trial" in printed
    resume = f"python -m tuner.run --resume {folder}"
    assert errors.splitlines() == [f"Interrupted. What was reported is kept; go on with: {resume}"]
    store = RunStore.open(folder)
    assert sum(row.state.over for row in store.rows()) >= n_before >= 3
    assert not store.openings()
    assert (folder / "trials.csv").exists()
