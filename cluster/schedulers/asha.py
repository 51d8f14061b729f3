"""ASHA: at each rung, only the best share of the trials that have reached it goes on.

Source: Li, Jamieson, Rostamizadeh, Gonina, Ben-tzur, Hardt, Recht, Talwalkar: A System for Massively Parallel Hyperparameter
Tuning, MLSys 2020, algorithm 2. Departure: trials stop at a rung instead of waiting there for a promotion, so that a slot is
never given to a checkpoint; a trial that is good by the standard of its day goes on even if later ones are better.
"""

from __future__ import annotations

import math
from typing import Any

from cluster.schedulers.base import Rung, Scheduler
from tuner.study.trial import Decision

BASELINE = 0


class Asha(Scheduler):
    """Asynchronous successive halving by stopping.

    Args:
        epochs: Budget of a trial. A trial that gets there is finished, so that there is no rung at the end.
        grace_epochs: The first rung: nobody is stopped before. A warm-up for models that start slowly.
        reduction: One in so many goes on at a rung, and the next rung comes after so many times the epochs.
    """

    def __init__(self, *, epochs: int, grace_epochs: int = 1, reduction: int = 3) -> None:
        if reduction < 2 or grace_epochs < 1:
            raise ValueError(f"ASHA needs reduction of 2 or more and grace of 1 or more, got {reduction} and {grace_epochs}")
        self.reduction = reduction
        self.grace_epochs = grace_epochs
        levels = []
        while grace_epochs < epochs:
            levels.append(grace_epochs)
            grace_epochs *= reduction
        self._values: dict[int, list[float]] = {level: [] for level in levels}
        self._n_stopped = dict.fromkeys(levels, 0)
        self._epochs = epochs
        self._n_finished = 0

    def describe(self) -> dict[str, Any]:
        """The ladder."""
        return {"grace_epochs": self.grace_epochs, "reduction": self.reduction, "rungs": list(self._values)}

    def decide(self, number: int, epoch: int, value: float) -> Decision:
        """At a rung, whether ``value`` is among the best 1/reduction of all that have come, itself included.

        Until ``reduction`` trials have come there, only the best so far goes on: with few slots the first trials would
        otherwise take most of the budget unopposed. Equal values go on together.
        """
        assert math.isfinite(value), value
        if epoch == self._epochs:
            self._n_finished += 1
        if epoch not in self._values:
            return Decision.CONTINUE
        values = self._values[epoch]
        values.append(value)
        if value <= self._cutoff(values) or number == BASELINE:
            return Decision.CONTINUE
        self._n_stopped[epoch] += 1
        return Decision.STOP

    def rungs(self) -> list[Rung]:
        """The levels, and at last the full budget."""
        rungs = [
            Rung(
                epoch=level,
                n_reached=len(values),
                n_stopped=self._n_stopped[level],
                cutoff=self._cutoff(values) if values else None,
            )
            for level, values in self._values.items()
        ]
        return [*rungs, Rung(epoch=self._epochs, n_reached=self._n_finished, n_stopped=0, cutoff=None)]

    def _cutoff(self, values: list[float]) -> float:
        return sorted(values)[max(1, len(values) // self.reduction) - 1]


SCHEDULER = Asha
