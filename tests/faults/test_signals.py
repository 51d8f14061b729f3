"""Signals, a terminal that is closed, and time that is up: what runs ends its epoch, and goes on later."""

from __future__ import annotations

import fcntl
import os
import pty
import signal
import subprocess
import sys
import termios
from contextlib import suppress
from pathlib import Path

import pytest

from tests.commands import ROOT, tuner
from tests.faults.plugins.faulty import arm
from tests.faults.studies import HERE, N_TRIALS, TIMEOUT_S, assert_same, driver, n_events, session, states, wait_for
from tuner.results.store import RunStore
from tuner.study.trial import State

WORDS = {
    signal.SIGINT: (130, "it was interrupted"),
    signal.SIGTERM: (143, "it was told to end"),
    signal.SIGHUP: (129, "its terminal was closed"),
}


def last_words(folder: Path) -> str:
    return f"Interrupted. What was reported is kept; go on with: python -m tuner.run --resume {folder}\n"


@pytest.mark.slow
@pytest.mark.parametrize("number", WORDS)
def test_a_signal_lets_trials_end_their_epoch_and_the_study_goes_on_later(
    number: signal.Signals, whole: Path, tmp_path: Path
) -> None:
    folder, (code, why) = tmp_path / "study", WORDS[number]
    with driver(*HERE, "--runs", tmp_path) as process:
        wait_for(lambda: n_events(folder, "report") >= 4, process)
        process.send_signal(number)
        printed, errors = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, errors) == (code, last_words(folder)), printed
    assert f"The study ends: {why}. Running trials finish their epoch, to go on later." in " ".join(printed.split())
    assert "Best is trial" in printed
    assert not states(folder)[State.RUNNING]
    assert not (folder / "openings.jsonl").exists()
    assert tuner("run", "--resume", folder).returncode == 0
    assert_same(folder, whole)


def test_ctrl_c_in_a_terminal_reaches_all_processes_and_no_epoch_is_lost(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    with driver(*HERE, "--runs", tmp_path) as process:
        wait_for(lambda: n_events(folder, "report") >= 4, process)
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, errors) == (130, last_words(folder))
    assert "its worker was lost" not in {row.note for row in RunStore.open(folder).rows()}
    assert tuner("run", "--resume", folder).returncode == 0
    assert_same(folder, whole)


@pytest.mark.slow
@pytest.mark.parametrize("number", WORDS)
def test_a_signal_during_the_last_evaluation_ends_the_study_at_once_and_it_is_done_again_later(
    number: signal.Signals, whole: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "study"
    with driver(*HERE, "--runs", tmp_path) as process:
        wait_for((folder / "openings.jsonl").exists, process)
        process.send_signal(number)
        printed, errors = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, errors) == (WORDS[number][0], last_words(folder)), printed
    assert "Best is trial" in printed
    assert (folder / "summary.md").exists()
    assert tuner("run", "--resume", folder).returncode == 0
    assert_same(folder, whole)


@pytest.mark.slow
@pytest.mark.parametrize("number", WORDS)
def test_a_second_signal_ends_at_once_what_hangs_and_the_study_goes_on_later(
    number: signal.Signals, whole: Path, faults: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "study"
    arm(faults, "hang", 1)
    with driver(*HERE, "--runs", tmp_path, FAULTY_FOLDER=str(faults)) as process:
        wait_for(lambda: n_events(folder, "report") == 1, process)
        process.send_signal(number)
        assert process.stdout is not None
        assert any(line.startswith("The study ends: ") for line in process.stdout)
        process.send_signal(number)
        _, errors = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, errors) == (WORDS[number][0], last_words(folder))
    assert tuner("run", "--resume", folder).returncode == 0
    assert_same(folder, whole)


@pytest.mark.slow
def test_a_terminal_that_is_closed_is_a_signal_like_others(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    ours, theirs = pty.openpty()

    def take_terminal() -> None:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)

    process = subprocess.Popen(
        [sys.executable, "-m", "tuner.run", *map(str, HERE), "--runs", str(tmp_path)],
        cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs, text=True, start_new_session=True,
        preexec_fn=take_terminal,
    )  # fmt: skip
    os.close(theirs)
    os.set_blocking(ours, False)

    def is_there() -> bool:
        with suppress(BlockingIOError):
            os.read(ours, 1 << 16)  # a terminal that nobody reads would hold it up
        return n_events(folder, "report") >= 4

    wait_for(is_there, process)
    os.close(ours)
    try:
        assert process.wait(TIMEOUT_S) == 129
    finally:
        for each in session(process.pid):
            os.kill(each, signal.SIGKILL)
    assert not states(folder)[State.RUNNING]
    assert tuner("run", "--resume", folder).returncode == 0
    assert_same(folder, whole)


@pytest.mark.slow
def test_time_that_is_up_pauses_what_runs_exports_the_best_and_more_time_makes_it_whole(
    whole: Path, faults: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "study"
    arm(faults, "slowness", 1_000_000)
    done = tuner("run", *HERE, "--time", "25s", "--runs", tmp_path, FAULTY_FOLDER=str(faults))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "The study ends: its time is up." in done.stdout
    assert states(folder).total() < N_TRIALS
    assert states(folder)[State.PAUSED] <= 1
    assert (folder / "best" / "weights.safetensors").exists()
    done = tuner("run", "--resume", folder, "--time", "+1h")
    assert done.returncode == 0, done.stdout + done.stderr
    assert_same(folder, whole)
