"""How many trials run side by side, and what each of them gets. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass


class ClusterMismatch(ValueError):
    """The machines are not what the user asked for."""


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


def place(n_cpus: float, n_gpus: float, cpus_per_trial: float | None = None, gpus_per_trial: float | None = None) -> Placement:
    """Divides what is there. By default a trial gets one GPU, or one core where there is no GPU.

    Args:
        n_cpus: Cores of the cluster.
        n_gpus: GPUs of the cluster.
        cpus_per_trial: None shares the cores among the GPUs, or gives one.
        gpus_per_trial: Below 1, several trials share a GPU; 0 uses none.

    Raises:
        ClusterMismatch: not even one trial fits.
    """
    check_shares(cpus_per_trial, gpus_per_trial)
    gpus = gpus_per_trial if gpus_per_trial is not None else float(n_gpus >= 1)
    if gpus > n_gpus:
        raise ClusterMismatch(
            f"--gpus-per-trial must not exceed the GPUs there are, got {gpus:g} with {n_gpus:g}; use less, or 0"
        )
    slots_by_gpu = _slots_by_gpu(n_gpus, gpus) if gpus else None
    cpus = cpus_per_trial if cpus_per_trial is not None else float(max(1, int(n_cpus // slots_by_gpu)) if slots_by_gpu else 1)
    if cpus > n_cpus:
        raise ClusterMismatch(f"--cpus-per-trial must not exceed the cores there are, got {cpus:g} with {n_cpus:g}; use less")
    slots = int(n_cpus / cpus + 1e-9)
    return Placement(cpus_per_trial=cpus, gpus_per_trial=gpus, n_slots=min(slots, slots_by_gpu or slots))


def _slots_by_gpu(n_gpus: float, gpus: float) -> int:
    """A share of a GPU lies on one GPU: two GPUs hold four trials of 0.4, not five."""
    return int(n_gpus) * int(1 / gpus + 1e-9) if gpus < 1 else int(n_gpus / gpus)
