"""The study that nothing disturbs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands import tuner
from tests.faults.studies import HERE


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its folder."""
    runs = tmp_path_factory.mktemp("undisturbed")
    done = tuner("run", *HERE, "--runs", runs)
    assert done.returncode == 0, done.stdout + done.stderr
    return runs / "study"


@pytest.fixture
def faults(tmp_path: Path) -> Path:
    """Where a test arms faults."""
    return tmp_path / "faults"
