"""The contract of a sampler: configs out, results in. A proposal is a function of (space, seed, number, what was told)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from search_spaces.base import Config, Space
from tuner.study.trial import Told


class Sampler(ABC):
    """Proposes configs for one space. Conditional keys are absent from a proposal in which they are not active."""

    def __init__(self, space: Space, seed: int) -> None:
        self.space = space
        self.seed = seed

    def describe(self) -> dict[str, Any]:
        """Its arguments, for the record."""
        return {}

    @abstractmethod
    def ask(self, number: int) -> Config:
        """The config of trial ``number``: every active key, those that are fixed too."""

    @abstractmethod
    def begin(self, number: int, config: Config) -> None:
        """Trial ``number`` was started with a config that may come from elsewhere: the baseline, or another study or space.

        Numbers below 0 are trials of another study.
        """

    @abstractmethod
    def tell(self, told: Told) -> None:
        """How a trial that was begun ended, once. Stopped trials count by their reports, infeasible ones as worst."""
