"""What a run's folder holds. Standard library only.

::

    runs/<study>/
      study.json        what was to be done
      events.jsonl      all that happened, in order: every ask, begin, report, decision and tell. The truth
      openings.jsonl    when the test rows were opened, and for what
      scores.json       the final comparison on validation and test
      trials/<n>/       one trial for people: config.json, reports.jsonl, log.txt, error.txt, best.safetensors
      trials.csv        one trial a row
      summary.md        what was found
      best/             the best trial, to take away

Every JSON file, and every line of a jsonl file, has a ``schema_version``. Fields named in ``TIMING`` differ between two
runs of the same study; all others are the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

from search_spaces.base import Config
from tuner.study.trial import State

SCHEMA_VERSION = 1

STUDY = "study.json"
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
BEST_WEIGHTS = "best.safetensors"

BEST = "best"
WEIGHTS = "weights.safetensors"
SCALER = "scaler.json"
README = "README.md"

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
    """The best value of the study's metric so far; lower is better."""
    metrics: dict[str, float] = field(default_factory=dict)
    """All metrics of the epoch with the best value."""
    duration_s: float | None = None
    """From its begin to its end, or until now; None while it waits."""
    note: str = ""
    """Why it is infeasible or failed, in one line."""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What one forecaster is worth on the windows on which all are compared."""

    who: str
    """best, baseline, or the name of a floor."""
    lookback: int
    n_windows: dict[Part, int]
    metrics: dict[Part, dict[str, float]]
    """By part, then by name."""
    channel_mae: dict[str, float] = field(default_factory=dict)
    """Mean absolute error on test of each channel, in its own units."""
    note: str = ""
    """What a floor chose when it was fitted."""


class RungCount(NamedTuple):
    """A level where trials are compared."""

    epoch: int
    n_reached: int
    n_stopped: int
