"""What the machine does to a study: a disk that fills up, a clock that jumps; and a second driver."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import tuner
from tests.faults.studies import HERE, TIMEOUT_S, assert_same, driver, n_events, wait_for
from tuner.results.store import RunStore

SITE = """
import os, time
real = time.time
day = 24 * 3600
time.time = lambda: real() + day * os.path.exists(os.environ["AHEAD"]) - day * os.path.exists(os.environ["BEHIND"])
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("a small file system cannot be mounted here: that is for root")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.mark.slow
def test_a_full_disk_ends_the_study_in_one_sentence_and_with_space_it_goes_on(whole: Path, small_disk: Path) -> None:
    folder, rest = small_disk / "study", small_disk / "rest"
    rest.write_bytes(bytes(980_000))
    done = tuner("run", *HERE, "--runs", small_disk)
    assert done.returncode == 1, done.stdout + done.stderr
    sentence = (
        f"error: a study must be able to write to {folder}, it is not: No space left on device; mend that, then go on with: "
    )
    assert done.stderr == f"{sentence}python -m tuner.run --resume {folder}\n"
    assert RunStore.open(folder).rows()
    rest.unlink()
    done = tuner("run", "--resume", folder)
    assert done.returncode == 0, done.stdout + done.stderr
    assert_same(folder, whole)


@pytest.mark.slow
def test_a_clock_that_jumps_a_day_ahead_and_back_changes_no_duration_and_hits_no_limit(whole: Path, tmp_path: Path) -> None:
    folder, ahead, behind = (tmp_path / name for name in ("study", "ahead", "behind"))
    (tmp_path / "sitecustomize.py").write_text(SITE)
    clock = {"PYTHONPATH": str(tmp_path), "AHEAD": str(ahead), "BEHIND": str(behind)}
    with driver(*HERE, "--time", "1h", "--trial-timeout", "10m", "--runs", tmp_path, **clock) as process:
        wait_for(lambda: n_events(folder, "report") >= 2, process)
        ahead.touch()
        wait_for(lambda: n_events(folder, "report") >= 10, process)
        behind.touch()
        ahead.unlink()
        printed, errors = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, errors) == (0, ""), printed
    store = RunStore.open(folder)
    times = [event["time_s"] for event in store.events()]
    assert times == sorted(times)
    assert times[-1] < 3600
    assert all(0 <= (row.duration_s or 0) < 3600 for row in store.rows())
    assert_same(folder, whole)


@pytest.mark.slow
def test_a_second_driver_is_refused_in_one_sentence_and_the_first_goes_on(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    with driver(*HERE, "--runs", tmp_path) as process:
        wait_for(lambda: n_events(folder, "report") > 0, process)
        second = tuner("run", "--resume", folder)
        printed, errors = process.communicate(timeout=TIMEOUT_S)
    assert second.returncode == 2
    assert second.stderr.startswith(f"error: a study has one driver, process {process.pid} on ")
    assert second.stderr.count("\n") == 1
    assert (process.returncode, errors) == (0, ""), printed
    assert_same(folder, whole)
