"""How many trials run side by side, and what each of them gets. Standard library only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class ClusterMismatch(ValueError):
    """The machines are not what the user asked for."""


@dataclass(frozen=True)
class Node:
    """One machine of the cluster."""

    n_cpus: float
    n_gpus: float = 0
    id: str = ""
    """Ray's."""
    address: str = ""


@dataclass(frozen=True, kw_only=True)
class Placement:
    """One slot, and how many there are."""

    cpus_per_trial: float
    gpus_per_trial: float
    n_slots: int


def check_shares(cpus: float | None, gpus: float | None) -> None:
    """Proves, whatever machines there are, that a trial could have these shares; None is decided later.

    Raises:
        ClusterMismatch: it could not.
    """
    if cpus is not None and cpus <= 0:
        raise ClusterMismatch(f"--cpus-per-trial must be above 0, got {cpus:g}")
    if gpus is not None and (gpus < 0 or (gpus > 1 and gpus != int(gpus))):
        raise ClusterMismatch(f"--gpus-per-trial must be 0, a share below 1, or whole, got {gpus:g}")


def place(nodes: Sequence[Node], cpus_per_trial: float | None = None, gpus_per_trial: float | None = None) -> Placement:
    """Divides what is there. By default a trial gets one GPU, or one core where there is no GPU. A trial lies on one node.

    Args:
        nodes: The machines of the cluster.
        cpus_per_trial: None shares the cores of a node among its GPUs, or gives one.
        gpus_per_trial: Below 1, several trials share a GPU; 0 uses none.

    Raises:
        ClusterMismatch: not even one trial fits.
    """
    check_shares(cpus_per_trial, gpus_per_trial)
    most = max((node.n_gpus for node in nodes), default=0)
    gpus = gpus_per_trial if gpus_per_trial is not None else float(most >= 1)
    if gpus > most:
        raise ClusterMismatch(
            f"--gpus-per-trial must not exceed the GPUs there are on one machine, got {gpus:g} with {most:g}; use less, or 0"
        )
    fit = [node for node in nodes if node.n_gpus >= gpus]
    shared = min(int(node.n_cpus // _slots_by_gpu(node, gpus)) for node in fit) if gpus else 1
    cpus = cpus_per_trial if cpus_per_trial is not None else float(max(1, shared))
    cores = max((node.n_cpus for node in fit), default=0)
    if cpus > cores:
        raise ClusterMismatch(
            f"--cpus-per-trial must not exceed the cores there are on one machine, got {cpus:g} with {cores:g}; use less"
        )
    return Placement(cpus_per_trial=cpus, gpus_per_trial=gpus, n_slots=sum(_slots_of(node, cpus, gpus) for node in nodes))


def _slots_of(node: Node, cpus: float, gpus: float) -> int:
    """Trials of these shares that fit on a node."""
    by_cpu = int(node.n_cpus / cpus + 1e-9)
    return min(by_cpu, _slots_by_gpu(node, gpus)) if gpus else by_cpu


def _slots_by_gpu(node: Node, gpus: float) -> int:
    """A share of a GPU lies on one GPU: two GPUs hold four trials of 0.4, not five."""
    return int(node.n_gpus) * int(1 / gpus + 1e-9) if gpus < 1 else int(node.n_gpus / gpus)
