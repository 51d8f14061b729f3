"""The study that nothing disturbs."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from tests.commands import tuner
from tests.faults.studies import HERE


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its folder, which all processes of a test run share."""
    base = tmp_path_factory.getbasetemp()
    runs = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "undisturbed"
    runs.mkdir(exist_ok=True)
    with (runs / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (runs / "study" / "best").exists():
            done = tuner("run", *HERE, "--runs", runs)
            assert done.returncode == 0, done.stdout + done.stderr
    return runs / "study"


@pytest.fixture
def faults(tmp_path: Path) -> Path:
    """Where a test arms faults."""
    return tmp_path / "faults"
