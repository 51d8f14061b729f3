"""Starts Ray on this machine or joins a cluster, quietly, and makes sure that workers find this code and the user's."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster.placement import ClusterMismatch, Node

ROOT = Path(__file__).resolve().parent.parent

_TEARDOWN_TIMEOUT_S = 300
"""Tune gives up on a warm actor whose last trial takes longer to end; its default of 2 s loses trials."""
_ANSWER_TIMEOUT_S = 5

_DRIVER_ENVIRONMENT = {
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "86400",
    "TUNE_WARN_THRESHOLD_S": "60",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_TRAIN_COUNT_PREEMPTION_AS_FAILURE": "1",  # else Tune tries again by itself, beside us
    "RAY_DEDUP_LOGS": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
}


@dataclass(frozen=True)
class Cluster:
    """What there is to run on."""

    nodes: tuple[Node, ...]
    dashboard_url: str | None
    """Loopback. Where Ray has a token, its pages ask for it: ``ray get-auth-token`` prints it."""
    asks_for_token: bool = False


def check_address(address: str) -> None:
    """Proves in seconds that a gRPC server listens there; Ray itself would try for minutes, and then kill this process.

    Raises:
        ClusterMismatch: the address is malformed, or none does.
    """
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ClusterMismatch(f"--address must be host:port of a running Ray cluster, as in 10.0.0.1:6379, got {address!r}")
    hello = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])  # HTTP/2: both sides begin with SETTINGS
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWER_TIMEOUT_S) as line:
            line.sendall(hello)
            answer = line.recv(4)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ClusterMismatch(f"--address must name a running Ray cluster, none answers at {address!r}: {reason}") from None
    if answer[3:] != hello[27:28]:
        raise ClusterMismatch(f"--address must name a running Ray cluster, what answers at {address!r} is something else")


@contextmanager
def connected(address: str | None, worker_environment: dict[str, str]) -> Iterator[Cluster]:
    """Ray for the time of a study.

    Raises:
        ClusterMismatch: no cluster at ``address`` can be joined from here.
    """
    wanted = _DRIVER_ENVIRONMENT | ({"RAY_AUTH_MODE": "token"} if address is not None and _has_token() else {})
    os.environ.update({name: os.environ.get(name, value) for name, value in wanted.items()})
    import ray  # which reads some of these now

    environment = {
        "TUNE_FUNCTION_THREAD_TIMEOUT_S": os.environ.get("TUNE_FUNCTION_THREAD_TIMEOUT_S", str(_TEARDOWN_TIMEOUT_S)),
        "RAY_CHDIR_TO_TRIAL_DIR": "0",
        **worker_environment,
    }
    runtime: dict[str, object] = {"env_vars": environment}
    if address is None:
        environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    else:  # .rayignore says what of the checkout
        runtime |= {"working_dir": str(ROOT), "py_modules": users_code(), "excludes": ["__pycache__", ".git", ".venv"]}
    with_terminal = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # Ray's processes outlive it, so that trials end their epoch
    try:
        context = ray.init(
            address=address or "local",
            include_dashboard=None if address else True,
            dashboard_host=None if address else "127.0.0.1",
            runtime_env=runtime,
            log_to_driver=False,
            logging_level=logging.ERROR,
            configure_logging=True,
        )
    except Exception as error:
        if address is None:
            raise
        reason = " ".join(str(error).split())
        raise ClusterMismatch(
            f"--address must be a Ray cluster that this machine is part of and has the token of, got {address!r}: {reason}"
        ) from None
    finally:
        signal.signal(signal.SIGHUP, with_terminal)
    try:
        url = context.dashboard_url
        yield Cluster(tuple(_node(n) for n in ray.nodes() if n["Alive"]), f"http://{url}" if url else None, _has_token())
    finally:
        ray.shutdown()


def _has_token() -> bool:
    """``ray start --head`` asks for a token wherever it finds one; to join, Ray 2.60 shows it only if told to."""
    named = os.environ.get("RAY_AUTH_TOKEN") or os.environ.get("RAY_AUTH_TOKEN_PATH")
    return bool(named) or (Path.home() / ".ray" / "auth_token").exists()


def _node(found: dict[str, Any]) -> Node:
    resources = found["Resources"]
    return Node(resources.get("CPU", 0), resources.get("GPU", 0), id=found["NodeID"], address=found["NodeManagerAddress"])


def users_code() -> list[str]:
    """What this process has imported that is neither ours nor installed nor Python's: a user's models and spaces."""
    found: set[Path] = set()
    for name, module in list(sys.modules.items()):
        spec = getattr(module, "__spec__", None)
        if spec is None or "." in name or name in {"__main__", "sitecustomize", "usercustomize", *sys.stdlib_module_names}:
            continue
        origin = [spec.origin] if spec.has_location and spec.origin.endswith(".py") else []
        found |= {Path(place).resolve() for place in spec.submodule_search_locations or origin}
    ours = {ROOT / name for name in ("cluster", "datasets", "models", "search_spaces", "tuner")}
    return sorted(str(path) for path in found - ours if not {"site-packages", "dist-packages"} & set(path.parts))
