"""What a run's folder holds. Standard library only.

::

    runs/<study>/
      study.json        what was to be done
      lock              held by the one process that writes
      events.jsonl      all that happened, in order: every start, ask, begin, report, decision, pause and tell. The truth
      openings.jsonl    when the test rows were opened, and for what
      scores.json       the final comparison on validation and test
      trials/<n>/       one trial: config.json, reports.jsonl, log.txt, error.txt; best.<epoch>.safetensors, its best weights;
                        last.<epoch>.safetensors, all that it needs to go on after that epoch
      trials.csv        one trial a row
      summary.md        what was found
      best/             the best trial, to take away; with folds weights.<stage>.safetensors for each of them

Every JSON file, and every line of a jsonl file, has a ``schema_version``. Fields named in ``TIMING`` differ between two
runs of the same study; all others are the same.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

from search_spaces.base import Config
from tuner.study.metrics import Merit
from tuner.study.trial import State

SCHEMA_VERSION = 1

STUDY = "study.json"
LOCK = "lock"
EVENTS = "events.jsonl"
OPENINGS = "openings.jsonl"
SCORES = "scores.json"
TABLE = "trials.csv"
SUMMARY = "summary.md"

TRIALS = "trials"
CONFIG = "config.json"
REPORTS = "reports.jsonl"
LOG = "log.txt"
ERROR = "error.txt"
BEST_WEIGHTS = "best.{epoch}.safetensors"
LAST = "last.{epoch}.safetensors"

BEST = "best"
WEIGHTS = "weights.safetensors"
STAGE_WEIGHTS = "weights.{stage}.safetensors"
SCALER = "scaler.json"
README = "README.md"

TEMPORARY = re.compile(r"\..+\.[a-z0-9_]{8}|\.best\.old")
"""What a write that a crash cut short leaves beside the file that it was for."""

TIMING = ("time_s", "timing")

Part: TypeAlias = Literal["validation", "test"]


def versioned(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record as it is written."""
    return {"schema_version": SCHEMA_VERSION, **record}


def checked(record: object, where: str) -> dict[str, Any]:
    """A record as it was before ``versioned``.

    Raises:
        ValueError: it is no record of ours, or one of a later version.
    """
    version = record.get("schema_version") if isinstance(record, dict) else None
    if not isinstance(record, dict) or not isinstance(version, int):
        raise ValueError(f"a record of a run has a schema_version, got {version!r} in {where}; is it from the tuner?")
    if version > SCHEMA_VERSION:
        raise ValueError(f"{where} has schema_version {version}, this tuner reads up to {SCHEMA_VERSION}; use a newer tuner")
    return {key: value for key, value in record.items() if key != "schema_version"}


@dataclass(frozen=True, kw_only=True)
class Row:
    """One trial, as tables show it."""

    number: int
    state: State
    config: Config
    epochs: int = 0
    """Reported so far."""
    value: float | None = None
    """The best value of the study's metric so far."""
    cost: float | None = None
    """What ranks it, lower is better: the value, or what the metric makes of it."""
    metrics: dict[str, float] = field(default_factory=dict)
    """All metrics of the epoch with the best value."""
    turn: int = 0
    """Of the best value: how many stages were learned before, where they are learned in turn. Later ones come first."""
    best_epoch: int = 0
    """The epoch with the best value; 0 before the first report."""
    n_failures: int = 0
    """How often it was paused for a reason that counts: a lost worker, a time-out."""
    n_parts: int = 1
    """Parts in which its batches go through the model, since they did not fit into memory whole."""
    left_out: bool = False
    """Its config lies outside the space as a resume changed it: it is kept, and counts no more."""
    pruned: bool = False
    """Its weights were removed: others are better, and space is short."""
    duration_s: float | None = None
    """From its begin to its end, or until now; None while it waits."""
    note: str = ""
    """Why it is infeasible, failed or paused, in one line."""

    def __post_init__(self) -> None:
        if self.cost is None:
            object.__setattr__(self, "cost", self.value)

    @property
    def merit(self) -> Merit:
        """What ranks it among others; the last of all without a value."""
        return -self.turn, math.inf if self.cost is None else self.cost


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What one forecaster is worth on the windows on which all are compared."""

    who: str
    """best, baseline, or the name of a floor. With folds, validation is the mean over them, and test is the last fold's."""
    lookback: int
    n_windows: dict[Part, int]
    metrics: dict[Part, dict[str, float]]
    """By part, then by name."""
    by_channel: dict[str, dict[str, float]] = field(default_factory=dict)
    """Metric on test to channel to value."""
    by_step: dict[str, list[float | None]] = field(default_factory=dict)
    """Metric on test to the value of each step of the horizon."""
    n_dropped: dict[str, int] = field(default_factory=dict)
    """Pairs of series and channel that a metric on test has no value for, and leaves out."""
    note: str = ""
    """What a floor chose when it was fitted, or why it was not run: then it has no windows and no metrics."""


class RungCount(NamedTuple):
    """A level where trials are compared."""

    epoch: int
    n_reached: int
    n_stopped: int
