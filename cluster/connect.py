"""Starts Ray on this machine or joins a cluster, quietly, and makes sure that workers find this code."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cluster.placement import ClusterMismatch

ROOT = Path(__file__).resolve().parent.parent

_TEARDOWN_TIMEOUT_S = 300
"""Tune gives up on a warm actor whose last trial takes longer to end; its default of 2 s loses trials."""

_DRIVER_ENVIRONMENT = {
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",
    "TUNE_GLOBAL_CHECKPOINT_S": "86400",
    "TUNE_WARN_THRESHOLD_S": "60",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_DEDUP_LOGS": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
}


@dataclass(frozen=True)
class Cluster:
    """What there is to run on."""

    n_cpus: float
    n_gpus: float
    dashboard_url: str | None


@contextmanager
def connected(address: str | None, worker_environment: dict[str, str]) -> Iterator[Cluster]:
    """Ray for the time of a study.

    Raises:
        ClusterMismatch: no cluster answers at ``address``.
    """
    os.environ.update({name: os.environ.get(name, value) for name, value in _DRIVER_ENVIRONMENT.items()})
    import ray

    environment = {
        "TUNE_FUNCTION_THREAD_TIMEOUT_S": str(_TEARDOWN_TIMEOUT_S),
        "RAY_CHDIR_TO_TRIAL_DIR": "0",
        **worker_environment,
    }
    runtime: dict[str, object] = {"env_vars": environment}
    if address is None:
        environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    else:
        runtime["working_dir"] = str(ROOT)
        runtime["excludes"] = ["runs/", ".venv/", ".git/"]
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
    except ConnectionError as error:
        raise ClusterMismatch(f"--address must name a running Ray cluster, none answers at {address!r}: {error}") from None
    try:
        resources = ray.cluster_resources()
        url = context.dashboard_url
        yield Cluster(resources.get("CPU", 0), resources.get("GPU", 0), f"http://{url}" if url else None)
    finally:
        ray.shutdown()
