"""What is to be done: one space, one problem, one budget, one seed. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from datasets.config import FILLS, SHORT_SERIES, Columns, cut_of
from search_spaces.base import Space


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What is forecast, and by which number forecasts are ranked. Nothing of it can be searched."""

    dataset: str
    """A name in ``datasets``, or the path of a csv, parquet or tsf file."""
    horizon: int
    metric: str
    """A name in ``tuner.study.metrics``."""
    columns: Columns = field(default_factory=Columns)
    """What the columns of the data are."""
    fill: str | None = None
    """The rule for missing values; None refuses them."""
    short_series: str | None = None
    """drop or pad series that are too short for the longest windows; None refuses them."""
    split: str | None = None
    """Where series are cut, see ``datasets.config.cut_of``; None takes the data set's own."""
    n_folds: int = 1
    """Stages that a trial is trained and scored on: 1 is a holdout, more are rolling origins."""
    n_stages: int | None = None
    """Consecutive parts that one network learns in turn, of the same data: continual learning. None is a holdout, or folds."""
    folds_file: Path | None = None
    """Borders that an earlier study wrote, in the place of split and n_folds."""
    last_step_only: bool = False
    """Whether only the last step of the horizon counts, in losses and in scores."""
    whole_numbers: bool = False
    """Whether forecasts are rounded to whole numbers before they are scored and written."""
    n_paths: int = 20
    """Paths of a forecast, from models and heads that draw them."""
    data_dir: Path | None = None
    """Where named data sets are looked for first."""

    def __post_init__(self) -> None:
        for name, value in (("--horizon", self.horizon), ("--folds", self.n_folds), ("--paths", self.n_paths)):
            if value < 1:
                raise ValueError(f"{name} must be 1 or more, got {value}")
        if self.n_stages is not None and self.n_stages < 2:
            raise ValueError(f"--stages must be 2 or more, got {self.n_stages}; for one stage leave out --protocol continual")
        if self.chained and self.n_folds > 1:
            raise ValueError(f"--protocol continual has stages in the place of folds, got --folds {self.n_folds}; leave it out")
        if self.folds_file is not None and (self.n_folds > 1 or self.split is not None):
            raise ValueError("--folds-file brings its own borders; leave out --folds and --split")
        for name, word, known in (
            ("--fill", self.fill, FILLS),
            ("--short-series", self.short_series, SHORT_SERIES),
        ):
            if word is not None and word not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}, got {word!r}")
        if self.split is not None:
            cut_of(self.split)

    @property
    def chained(self) -> bool:
        """Whether one network learns the stages in turn."""
        return self.n_stages is not None

    @property
    def first_counted(self) -> int:
        """Steps of the horizon before this one, from 0, do not count."""
        return self.horizon - 1 if self.last_step_only else 0

    def epochs(self, each: int) -> int:
        """Of a trial, of which a stage that is learned in turn gets ``each``."""
        return each * (self.n_stages or 1)

    @property
    def names_series(self) -> bool:
        """Whether series have names, from a series id or a .tsf file; that of a table has only its file's."""
        return self.columns.series_id is not None or self.dataset.lower().endswith(".tsf")

    def to_json(self) -> dict[str, Any]:
        """A JSON object, from which ``Problem.from_json`` makes this problem again."""
        return {name: str(value) if isinstance(value, Path) else value for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Problem:
        """What ``to_json`` wrote."""
        columns: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in record["columns"].items()
        }
        paths = {name: None if record[name] is None else Path(record[name]) for name in ("folds_file", "data_dir")}
        return cls(**{**record, **paths, "columns": Columns(**columns)})


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What a study may spend."""

    n_trials: int
    epochs: int
    """Of one trial."""
    time_s: float | None = None
    """Then no trial starts, and those that run are paused after their epoch; None sets no limit, so that the study repeats.
    The time between an interrupt and a resume does not count."""

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


OnOom = Literal["infeasible", "split"]


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What is borne with, and what is done when it is not."""

    retries: int = 2
    """How often a trial goes on after its worker was lost or hung; once more, and it has failed."""
    trial_timeout_s: float | None = None
    """A trial that reports nothing for so long hangs, and its worker is killed; None waits for ever."""
    oom: OnOom = "infeasible"
    """Of a trial that runs out of memory. split: it goes on with the same batches in 2, 4, ... parts, while there are any."""
    keep_gb: float | None = None
    """Of checkpoints, 1e9 bytes; None sets no limit."""

    def __post_init__(self) -> None:
        if self.retries < 0:
            raise ValueError(f"--retries must be 0 or more, got {self.retries}")
        if self.trial_timeout_s is not None and self.trial_timeout_s <= 0:
            raise ValueError(f"--trial-timeout must be above 0, got {self.trial_timeout_s:g}s")
        if self.oom not in get_args(OnOom):
            raise ValueError(f"--oom must be one of {', '.join(get_args(OnOom))}, got {self.oom!r}")
        if self.keep_gb is not None and self.keep_gb <= 0:
            raise ValueError(f"--keep-gb must be above 0, got {self.keep_gb:g}")


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
    limits: Limits = field(default_factory=Limits)

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
            "problem": self.problem.to_json(),
            "budget": asdict(self.budget),
            "sampler": self.sampler,
            "scheduler": self.scheduler,
            "seed": self.seed,
            "resources": asdict(self.resources),
            "limits": asdict(self.limits),
        }

    @classmethod
    def from_json(cls, record: Mapping[str, Any], folder: Path) -> Study:
        """What ``to_json`` wrote, and perhaps more, of the run in a folder."""
        return cls(
            name=folder.name,
            space_name=record["space_name"],
            space=Space.from_json(record["space"]),
            problem=Problem.from_json(record["problem"]),
            budget=Budget(**record["budget"]),
            sampler=record["sampler"],
            scheduler=record["scheduler"],
            seed=record["seed"],
            runs=folder.parent,
            resources=Resources(**record["resources"]),
            limits=Limits(**record.get("limits", {})),
        )
