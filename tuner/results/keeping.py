"""Which checkpoints may go: those of trials that others have overtaken for good. Standard library only."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from tuner.results.schema import Row
from tuner.results.store import ranked
from tuner.study.trial import State

N_KEPT = 10
"""Trials that are over and keep their weights, the best ones, besides the baseline."""


def expendable(rows: Sequence[Row]) -> list[Row]:
    """The trials that are over, count, and are neither the best nor the baseline: the worst first."""
    return [row for row in reversed(_kept(rows)[1:]) if row.number]


def overtaken(rows: Sequence[Row]) -> list[Row]:
    """The trials whose weights nobody needs: not among the best, or of no use at all."""
    useless = [row for row in rows if row.state is State.INFEASIBLE and row.epochs and not row.pruned]
    return [*useless, *(row for row in _kept(rows)[N_KEPT:] if row.number)]


def too_many(rows: Sequence[Row], n_bytes: Callable[[int], int], limit: float) -> Iterator[Row]:
    """The trials to prune so that all checkpoints together stay within ``limit`` bytes, as far as that can be done.

    What is open, the best and the baseline are never among them.

    Args:
        rows: Of the study.
        n_bytes: Number of a trial to the bytes of its checkpoints.
        limit: Bytes.
    """
    total = sum(n_bytes(row.number) for row in rows)
    for row in expendable(rows):
        if total <= limit:
            return
        total -= n_bytes(row.number)
        yield row


def _kept(rows: Sequence[Row]) -> list[Row]:
    """The trials that are over, count and have their weights, best first."""
    return [row for row in ranked(rows) if row.state.over and not row.pruned]
