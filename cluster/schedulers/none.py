"""Stops nobody."""

from __future__ import annotations

from cluster.schedulers.base import Rung, Scheduler
from tuner.study.trial import Decision


class NoStopping(Scheduler):
    """Every trial gets its whole budget."""

    def __init__(self, *, epochs: int) -> None:
        self.epochs = epochs

    def decide(self, number: int, epoch: int, value: float) -> Decision:
        """Go on."""
        return Decision.CONTINUE

    def rungs(self) -> list[Rung]:
        """None."""
        return []


SCHEDULER = NoStopping
