"""The contract of a scheduler: it hears every report and says who goes on. Pure: no Ray, no clock, no global randomness."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

from tuner.study.trial import Decision


@dataclass(frozen=True, kw_only=True)
class Rung:
    """A level where trials are compared, for people to look at."""

    epoch: int
    n_reached: int
    n_stopped: int
    cutoff: float | None
    """The value that a trial must reach to pass; None while too few have come."""


class Scheduler(ABC):
    """Compares trials by their best value so far; lower is better. Trial 0 is the baseline and is never stopped."""

    @abstractmethod
    def __init__(self, *, epochs: int) -> None:
        """``epochs`` is the budget of a trial."""

    def describe(self) -> dict[str, Any]:
        """Its arguments, for the record."""
        return {}

    @abstractmethod
    def decide(self, number: int, epoch: int, value: float) -> Decision:
        """The answer to one report.

        Args:
            number: The trial.
            epoch: Epochs it has trained.
            value: Its best value so far; finite.
        """

    @abstractmethod
    def rungs(self) -> list[Rung]:
        """The levels, lowest first; empty if it compares nothing."""
