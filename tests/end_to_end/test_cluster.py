"""A study on two nodes, started apart from the checkout, with a model of the user's; and addresses where no cluster is."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import ROOT, tuner
from tuner.results.store import RunStore
from tuner.study.trial import State

OPTIONS = ["--dataset", "synthetic", "--horizon", 12, "--trials", 4, "--epochs", 1, "--sampler", "random"]
HELPER = """
import os, time
from pathlib import Path

def meet(folder, n):
    # Says where this trial runs, and waits until trials run on n nodes.
    import ray
    Path(folder, ray.get_runtime_context().get_node_id()).touch()
    end = time.monotonic() + 100
    while len(os.listdir(folder)) < n and time.monotonic() < end:
        time.sleep(0.1)
"""
MODEL = """
import os
import models.base
from models.base import Forecaster
from torch import nn
from my_helper import meet

class MyModel(Forecaster):
    def __init__(self, shape, *, folder: str = ""):
        super().__init__(shape)
        self.map = nn.Linear(shape.lookback, shape.horizon)
        if "RAY_JOB_ID" in os.environ:
            print("code:", models.base.__file__)
            meet(folder, 2)

    def forward(self, inputs):
        return self.map(inputs.past_target.transpose(1, 2)).transpose(1, 2).unsqueeze(-1)

MODEL = MyModel
"""
SPACE = """
from search_spaces.base import Float, Space

SPACE = Space("my_pkg.my_model", {"model.folder": %r, "train.learning_rate": Float(1e-3, 1e-2), "train.windows_per_epoch": 64})
"""


def free_ports(n: int) -> list[int]:
    lines = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [line.getsockname()[1] for line in lines]
    for line in lines:
        line.close()
    return ports


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """With a token of the cluster's own."""
    return {"RAY_AUTH_TOKEN": secrets.token_hex(32)}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]) -> Iterator[str]:
    """A cluster of two nodes with one core each. The second has another package named datasets on its path."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "datasets").mkdir()
    (elsewhere / "datasets" / "__init__.py").write_text("raise RuntimeError('the wrong datasets')\n")
    port, client, *agents = free_ports(4)
    started: list[subprocess.Popen[bytes]] = []

    def start(name: str, path: str, *options: str) -> None:
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--num-cpus=1", "--disable-usage-stats"]
        command += [f"--dashboard-agent-listen-port={agents.pop()}", *options]
        inherited = {**os.environ, **environment, "RAY_AUTH_MODE": "token", "PYTHONPATH": path}
        with (elsewhere / name).open("wb") as log:
            started.append(subprocess.Popen(command, cwd=elsewhere, env=inherited, stdout=log, stderr=log))
        end = time.monotonic() + 90
        while "Ray runtime started" not in (elsewhere / name).read_text():
            if started[-1].poll() is not None or time.monotonic() > end:
                pytest.fail((elsewhere / name).read_text())
            time.sleep(0.1)

    try:
        start("head", "", "--head", f"--port={port}", f"--ray-client-server-port={client}", "--include-dashboard=false")
        start("second", str(elsewhere), f"--address=127.0.0.1:{port}")
        yield f"127.0.0.1:{port}"
    finally:
        for process in reversed(started):
            process.send_signal(signal.SIGTERM)
        for process in started:
            process.wait(30)


@pytest.fixture(scope="module")
def users(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's folder, with a package and a module that it imports."""
    folder = tmp_path_factory.mktemp("users")
    (folder / "my_pkg").mkdir()
    (folder / "nodes").mkdir()
    (folder / "my_helper.py").write_text(HELPER)
    (folder / "my_pkg" / "__init__.py").touch()
    (folder / "my_pkg" / "my_model.py").write_text(MODEL)
    (folder / "my_pkg" / "my_space.py").write_text(SPACE % str(folder / "nodes"))
    return folder


@pytest.fixture(scope="module")
def store(address: str, environment: dict[str, str], users: Path, tmp_path_factory: pytest.TempPathFactory) -> RunStore:
    where = ["--address", address, "--runs", tmp_path_factory.mktemp("runs"), "--name", "two"]
    done = tuner("run", "--space", "my_pkg.my_space", *OPTIONS, *where, **environment, PYTHONPATH=str(users))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    return RunStore.open(Path(str(where[3])) / "two")


@pytest.mark.slow
def test_both_nodes_run_trials(store: RunStore, users: Path) -> None:
    assert [row.state for row in store.rows()] == [State.FINISHED] * 4
    assert len(list((users / "nodes").iterdir())) == 2


@pytest.mark.slow
def test_workers_run_the_code_that_was_shipped(store: RunStore) -> None:
    for row in store.rows():
        log = (store.trial(row.number) / "log.txt").read_text()
        assert "working_dir_files" in log
        assert str(ROOT) not in log


@pytest.mark.slow
def test_the_run_folder_is_as_complete_as_on_one_machine(store: RunStore) -> None:
    assert (store.folder / "best" / "weights.safetensors").exists()
    assert {score.who for score in store.scores()} >= {"best", "baseline", "naive"}
    assert all(store.weights(row.number) for row in store.rows())


@pytest.mark.slow
def test_a_node_that_cannot_run_the_code_ends_it_with_one_sentence(
    address: str, environment: dict[str, str], users: Path, tmp_path: Path
) -> None:
    installed = users / "site-packages"
    (installed / "their_pkg").mkdir(parents=True)
    (installed / "their_pkg" / "__init__.py").touch()
    for name in ("my_model.py", "my_space.py"):
        text = (users / "my_pkg" / name).read_text()
        (installed / "their_pkg" / name).write_text(text.replace("my_pkg", "their_pkg"))
    where = ["--address", address, "--runs", tmp_path, "--name", "x"]
    path = os.pathsep.join(map(str, (users, installed)))
    done = tuner("run", "--space", "their_pkg.my_space", *OPTIONS, *where, **environment, PYTHONPATH=path)
    assert done.returncode == 2
    assert "every node must be able to run what this machine runs, " in done.stderr
    assert "No module named 'their_pkg'" in done.stderr
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "address", ["nonsense", "127.0.0.1:", "127.0.0.1:99999", "ray://127.0.0.1:10001", "no.such.invalid:6379"]
)
def test_a_wrong_address_ends_with_one_sentence_and_leaves_nothing(address: str, tmp_path: Path) -> None:
    done = tuner("run", "--space", "dlinear", *OPTIONS, "--address", address, "--runs", tmp_path / "runs", timeout_s=60)
    assert done.returncode == 2
    assert done.stderr.startswith("error: --address must ")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "runs").exists()


def test_a_port_where_nothing_listens_is_refused() -> None:
    (port,) = free_ports(1)
    done = tuner("run", "--space", "dlinear", *OPTIONS, "--address", f"127.0.0.1:{port}", timeout_s=60)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "none answers" in done.stderr
