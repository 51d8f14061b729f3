"""The words for one trial: its states, what it reports, what it is told. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from search_spaces.base import Config


class State(StrEnum):
    """What has become of a trial."""

    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    """Without a worker, to go on from its last report: after an interrupt, a lost worker, the end of the study's time."""
    FINISHED = "finished"
    STOPPED = "stopped"
    """By the scheduler."""
    INFEASIBLE = "infeasible"
    """Diverged or out of memory: a fact about the config."""
    FAILED = "failed"
    """Any other error: a fact about the code."""

    @property
    def over(self) -> bool:
        """Whether nothing more will come."""
        return self not in (State.WAITING, State.RUNNING, State.PAUSED)


class Decision(StrEnum):
    """The answer to a report."""

    CONTINUE = "continue"
    STOP = "stop"
    PAUSE = "pause"
    """Give the slot back. What the report brought is stored, and enough to go on."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a trial says after an epoch."""

    stage: str
    """The last of the stages that advance together."""
    epoch: int
    """1 after the first epoch."""
    step: int
    """Optimiser steps of that stage so far."""
    metrics: dict[str, float]
    """By name, all finite: means over the stages; ``train_loss`` is the mean over the epoch too."""
    weights_sha256: str
    """Of the weights of all stages after the epoch, as safetensors."""
    stages: dict[str, float] = field(default_factory=dict)
    """The ranking metric of each stage, by its name."""
    turn: int = 0
    """How many stages were learned before this one, where one network learns them in turn. A trial is worth what its network
    is worth in the last turn so far: what it was worth before does not count any more."""
    timing: dict[str, float] = field(default_factory=dict)
    """Seconds, by name; never the same twice, and never compared."""
    best: bytes | None = None
    """The weights of all stages as safetensors, ``<stage>.model.*`` and ``<stage>.head.*``, if the ranking metric improved."""
    last: bytes | None = None
    """All that is needed to go on after this epoch, as safetensors: weights and the optimiser's state of all stages."""
    log: str = ""
    """What was printed or warned since the last report."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """How a trial ended, as a sampler is told. Values are minimised and finite."""

    number: int
    config: Config
    state: State
    values: tuple[tuple[int, float], ...]
    """(epoch, what the trial had come to by then), rising in epoch; empty if there was no report."""
    out_of_memory: bool = False
    """Why an infeasible trial is infeasible: it broke the one constraint that a machine sets."""
