"""What another study found, for a new one to begin with. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from search_spaces.base import Config
from tuner.results.store import RunStore
from tuner.study.trial import State


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One trial of another study."""

    number: int
    config: Config
    state: State
    values: tuple[tuple[int, float], ...]
    out_of_memory: bool


def evidence_of(other: RunStore, study: Mapping[str, Any]) -> list[Evidence]:
    raise NotImplementedError
