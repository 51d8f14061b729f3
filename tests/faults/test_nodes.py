"""A cluster that loses the one machine that trials run on, with and without notice, and gets another."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.faults.plugins.faulty import FOLDER, arm
from tests.faults.studies import CPUS, STUDY, TIMEOUT_S, assert_same, driver, events, n_events, session, wait_for

RAY = [sys.executable, "-m", "ray.scripts.scripts"]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as line:
        port: int = line.getsockname()[1]
        return port


class Cluster:
    """A head without cores, and nodes with as many cores as a trial takes."""

    def __init__(self, folder: Path, faults: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self.environment = {"RAY_AUTH_TOKEN": secrets.token_hex(32), "RAY_AUTH_MODE": "token", FOLDER: str(faults)}
        self._nodes: list[subprocess.Popen[bytes]] = []
        self._start(
            "--head", f"--port={self._port}", f"--ray-client-server-port={free_port()}", "--include-dashboard=false", cpus=0
        )

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._port}"

    def add(self) -> int:
        """One more node; the leader of its processes."""
        return self._start(f"--address={self.address}", cpus=CPUS)

    def drain(self, leader: int) -> None:
        """Gives notice, as a cloud does, that the node will be gone in ten minutes."""
        look = (
            f"import ray; ray.init({self.address!r}, logging_level='ERROR');"
            "print(*[node['NodeID'] for node in ray.nodes() if node['Resources'].get('CPU')])"
        )
        (node,) = self._run([sys.executable, "-c", look]).split()
        reason = [
            "--reason",
            "DRAIN_NODE_REASON_PREEMPTION",
            "--reason-message",
            "a test",
            "--deadline-remaining-seconds",
            "600",
        ]
        self._run([*RAY, "drain-node", "--address", self.address, "--node-id", node, *reason])

    def close(self) -> None:
        for node in reversed(self._nodes):
            take_away(node.pid)
            node.wait()

    def _start(self, *options: str, cpus: int) -> int:
        log = self._folder / f"node-{len(self._nodes)}.log"
        command = [*RAY, "start", "--block", f"--num-cpus={cpus}", "--disable-usage-stats", *options]
        command += [f"--dashboard-agent-listen-port={free_port()}"]
        with log.open("wb") as file:
            environment = {**os.environ, **self.environment, "PYTHONPATH": ""}
            started = subprocess.Popen(
                command, cwd=self._folder, env=environment, stdout=file, stderr=file, start_new_session=True
            )
        self._nodes.append(started)
        end = time.monotonic() + 90
        while "Ray runtime started" not in log.read_text():
            if started.poll() is not None or time.monotonic() > end:
                pytest.fail(log.read_text())
            time.sleep(0.1)
        return started.pid

    def _run(self, command: list[str]) -> str:
        environment = {**os.environ, **self.environment}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@pytest.fixture
def cluster(tmp_path: Path, faults: Path) -> Iterator[Cluster]:
    arm(faults, "slowness", 40)  # five epochs, so that what happens to a machine happens to a trial
    started = Cluster(tmp_path, faults)
    yield started
    started.close()


def take_away(leader: int) -> None:
    """All that runs there is gone; a node that had notice may have gone by itself."""
    for process in session(leader):
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)


def raylet(leader: int) -> int:
    """The process that is the node."""
    (found,) = [each for each in session(leader) if "/raylet/raylet" in Path(f"/proc/{each}/cmdline").read_text()]
    return found


@pytest.mark.slow
def test_a_trial_whose_machine_is_lost_goes_on_at_another_to_the_same_end(
    cluster: Cluster, whole: Path, tmp_path: Path
) -> None:
    folder, node = tmp_path / "study", cluster.add()
    where = ["--cpus-per-trial", CPUS, "--address", cluster.address, "--runs", tmp_path]
    with driver(*STUDY, *where, **cluster.environment) as process:
        wait_for(lambda: n_events(folder, "report") > 0, process)
        os.kill(raylet(node), signal.SIGKILL)
        cluster.add()
        printed, errors = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, errors) == (0, ""), printed
    assert [(pause["note"], pause["counts"]) for pause in events(folder, "pause")] == [("its worker was lost", True)]
    assert_same(folder, whole)


@pytest.mark.slow
def test_a_machine_that_gives_notice_costs_no_trial_an_epoch_or_a_failure(
    cluster: Cluster, whole: Path, tmp_path: Path
) -> None:
    folder, node = tmp_path / "study", cluster.add()
    where = ["--cpus-per-trial", CPUS, "--address", cluster.address, "--runs", tmp_path, "--retries", 0]
    with driver(*STUDY, *where, **cluster.environment) as process:
        wait_for(lambda: n_events(folder, "report") > 0, process)
        cluster.drain(node)
        wait_for(lambda: n_events(folder, "pause") > 0, process)
        cluster.add()
        take_away(node)
        printed, errors = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, errors) == (0, ""), printed
    assert [(pause["note"], pause["counts"]) for pause in events(folder, "pause")] == [("its machine is taken away", False)]
    assert_same(folder, whole)
