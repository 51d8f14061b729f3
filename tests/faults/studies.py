"""One small study, which every test here makes go wrong in another way, and what must be the same in the end."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import Popen
from typing import Any

from tests.commands import start_tuner
from tuner.results import schema
from tuner.results.store import RunStore
from tuner.study.trial import State

TIMEOUT_S = 600
CPUS = (os.cpu_count() or 1) // 2 + 1
"""Of a trial, so that there is one slot."""
N_TRIALS, EPOCHS = 13, 3
"""TPE proposes by itself from the eleventh trial on."""
STUDY = [
    "--space", "tests.faults.plugins.faulty", "--dataset", "synthetic", "--horizon", 12, "--trials", N_TRIALS,
    "--epochs", EPOCHS, "--name", "study",
]  # fmt: skip
HERE = [*STUDY, "--cpus-per-trial", CPUS]


def story(folder: Path) -> list[dict[str, Any]]:
    """What two studies must have in common: all that was asked, reported, decided and told, in order."""
    return [
        {key: value for key, value in event.items() if key not in ("n", *schema.TIMING)}
        for event in RunStore.open(folder).events()
        if event["kind"] in ("ask", "report", "decision", "tell")
    ]


def results(folder: Path) -> dict[str, Any]:
    """The states of a study's trials, and the files that a study comes to."""
    files = (schema.SCORES, f"{schema.BEST}/{schema.WEIGHTS}", f"{schema.BEST}/{schema.SCALER}")
    states = {row.number: row.state for row in RunStore.open(folder).rows()}
    return {"states": states, **{name: (folder / name).read_bytes() for name in files}}


def assert_same(folder: Path, whole: Path) -> None:
    """The study came to what it would have come to undisturbed, bit by bit."""
    assert story(folder) == story(whole)
    assert results(folder) == results(whole)


def events(folder: Path, kind: str) -> list[dict[str, Any]]:
    """The events of one kind, without what differs between two studies."""
    return [
        {key: value for key, value in event.items() if key not in ("n", "kind", *schema.TIMING)}
        for event in RunStore.open(folder).events()
        if event["kind"] == kind
    ]


def n_events(folder: Path, kind: str = "") -> int:
    """How many there are by now, of one kind or of all."""
    file = folder / schema.EVENTS
    return file.read_text().count(f'"kind": "{kind}') if file.exists() else 0


def states(folder: Path) -> Counter[State]:
    """How many trials are in each state."""
    return Counter(row.state for row in RunStore.open(folder).rows())


def wait_for(what: Callable[[], bool], process: Popen[str]) -> None:
    """Returns when it has come to be, or the process has ended, or the time is up."""
    end = time.monotonic() + TIMEOUT_S
    while not what() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.005)


@contextmanager
def driver(*arguments: object, **environment: str) -> Iterator[Popen[str]]:
    """A running study. Whatever a test finds, neither it nor its Ray outlives the test."""
    process = start_tuner("run", *arguments, **environment)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        end = time.monotonic() + TIMEOUT_S
        while session(process.pid) and time.monotonic() < end:
            time.sleep(0.05)


def session(leader: int) -> list[int]:
    """The processes that were started by a process in a session of its own, whatever has become of it."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has just ended
            state, _, _, sid = path.read_text().rpartition(")")[2].split()[:4]
            if int(sid) == leader and state != "Z":
                found.append(int(path.parent.name))
    return found
