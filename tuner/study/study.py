"""What is to be done: one space, one problem, one budget, one seed. Standard library only."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from search_spaces.base import Space


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What is forecast, and by which number forecasts are ranked. Nothing of it can be searched."""

    dataset: str
    """A name in ``datasets``, or the path of a csv or parquet file."""
    horizon: int
    metric: str
    """A name in ``tuner.training.metrics``; lower is better."""
    fill: str | None = None
    """The rule for missing values of a file; None refuses them."""
    data_dir: Path | None = None
    """Where named data sets are looked for first."""

    def __post_init__(self) -> None:
        if self.horizon < 1:
            raise ValueError(f"--horizon must be 1 or more, got {self.horizon}")


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What a study may spend."""

    n_trials: int
    epochs: int
    """Of one trial."""
    time_s: float | None = None
    """No trial starts after that; None sets no limit, so that the study repeats."""

    def __post_init__(self) -> None:
        for name, value in (("--trials", self.n_trials), ("--epochs", self.epochs)):
            if value < 1:
                raise ValueError(f"{name} must be 1 or more, got {value}")
        if self.time_s is not None and self.time_s <= 0:
            raise ValueError(f"--time must be above 0, got {self.time_s:g}s")


@dataclass(frozen=True, kw_only=True)
class Resources:
    """Where trials run."""

    cpus_per_trial: float | None = None
    gpus_per_trial: float | None = None
    """None takes what is there: one GPU a trial, or one core a trial where there is no GPU."""
    address: str | None = None
    """Of a running Ray cluster; None starts one on this machine."""


@dataclass(frozen=True, kw_only=True)
class Study:
    """Everything that decides what a study does."""

    name: str
    space_name: str
    space: Space
    problem: Problem
    budget: Budget
    sampler: str
    scheduler: str
    seed: int
    runs: Path
    resources: Resources

    @property
    def folder(self) -> Path:
        """Where all that comes out is kept."""
        return self.runs / self.name

    def to_json(self) -> dict[str, Any]:
        """A JSON object for ``study.json``."""
        return {
            "name": self.name,
            "space_name": self.space_name,
            "space": self.space.to_json(),
            "problem": {k: str(v) if isinstance(v, Path) else v for k, v in asdict(self.problem).items()},
            "budget": asdict(self.budget),
            "sampler": self.sampler,
            "scheduler": self.scheduler,
            "seed": self.seed,
            "resources": asdict(self.resources),
        }


def problem_from_json(text: dict[str, Any]) -> Problem:
    """The problem that ``Study.to_json`` wrote."""
    return Problem(**{**text, "data_dir": None if text["data_dir"] is None else Path(text["data_dir"])})
