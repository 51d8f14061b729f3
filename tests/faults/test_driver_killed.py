"""kill -9 of the driver, alone or with all that it has started, at random instants."""

from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path

import pytest

from tests.commands import tuner
from tests.faults.studies import HERE, assert_same, driver, n_events, wait_for

SEEDS = [pytest.param(seed, marks=() if seed == 1 else pytest.mark.slow) for seed in range(20)]
"""The quick one kills the driver alone, after an event."""


def kill_at(instant: float, *arguments: object, folder: Path, alone: bool) -> None:
    """Starts a driver and kills it: after so many more events if the instant is an int, after so many seconds if not.

    Args:
        instant: When.
        arguments: Of the driver.
        folder: Of its run.
        alone: Kill the driver only, whose Ray then finds that out by itself; else all that it has started.
    """
    before = n_events(folder)
    with driver(*arguments) as process:
        wait_for(lambda: n_events(folder) >= before + (instant if isinstance(instant, int) else 1), process)
        time.sleep(0 if isinstance(instant, int) else instant)
        os.kill(process.pid, signal.SIGKILL) if alone else os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_study_whose_driver_is_killed_at_any_instant_ends_like_one_that_was_not(
    seed: int, whole: Path, tmp_path: Path
) -> None:
    chance, folder = random.Random(seed), tmp_path / "study"
    n = n_events(whole)
    first = chance.randrange(1, n) if seed % 2 else chance.uniform(0, 4)
    kill_at(first, *HERE, "--runs", tmp_path, folder=folder, alone=seed % 4 == 1)
    if seed % 3 == 2:
        left = n - n_events(folder)
        kill_at(chance.randrange(1, max(left, 2)), "--resume", folder, folder=folder, alone=False)
    done = tuner("run", "--resume", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert_same(folder, whole)
