"""Continual learning: what a network is worth on each stage after it has learned each of them. Standard library only."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tuner.results.schema import Row
from tuner.study.metrics import cost


@dataclass(frozen=True, kw_only=True)
class ErrorMatrix:
    """R: the ranking metric on the scored rows of stage j by the network that has learned the stages up to i."""

    metric: str
    stages: tuple[str, ...]
    """The names, in turn."""
    values: tuple[tuple[float, ...], ...]
    """A row for each stage that was learned, with a column for each stage that there is."""

    @property
    def mean(self) -> float:
        """Over all stages, after the last one that was learned."""
        return math.fsum(self.values[-1]) / len(self.stages)

    @property
    def forgetting(self) -> float | None:
        """The mean over the earlier stages of how much worse they are now than when they had just been learned.

        mean_{j<i} (R_ij - R_jj): backward transfer with the sign of an error (Lopez-Paz and Ranzato, "Gradient episodic memory
        for continual learning", NeurIPS 2017). Below 0, later stages helped. None after the first stage.
        """
        last = self.values[-1]
        worse = [cost(self.metric, last[j]) - cost(self.metric, self.values[j][j]) for j in range(len(self.values) - 1)]
        return math.fsum(worse) / len(worse) if worse else None


def error_matrix(metric: str, stages: Sequence[str], row: Row, events: Sequence[Mapping[str, Any]]) -> ErrorMatrix | None:
    """The matrix of one trial from its reports: of each turn the last, of the present one that whose weights are kept.

    Args:
        metric: That ranks.
        stages: The names, in turn.
        row: The trial.
        events: Of the study.
    """
    said = [event for event in events if event["kind"] == "report" and event["number"] == row.number]
    turns = {event["turn"]: event["stages"] for event in said if event["turn"] < row.turn}
    turns |= {event["turn"]: event["stages"] for event in said if event["epoch"] == row.best_epoch}
    if not turns:
        return None
    return ErrorMatrix(
        metric=metric,
        stages=tuple(stages),
        values=tuple(tuple(turns[turn][stage] for stage in stages) for turn in sorted(turns)),
    )
