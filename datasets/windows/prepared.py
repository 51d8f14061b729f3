"""What a trial gets: the panel in original units, a calendar, the plan of stages. Numpy only, shared without copies."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt

from datasets.base import BoolArray, FloatArray, IntArray
from datasets.config import Scaling


@dataclass(frozen=True, kw_only=True)
class Scaler:
    """Level and spread of columns over train rows."""

    mean: FloatArray
    """(n_series or 1, columns) float64"""
    std: FloatArray
    """(n_series or 1, columns) float64; 1 for a column that is constant in the train rows."""
    size: FloatArray
    """(n_series or 1, columns) float64: the mean of absolute values; 1 where that is 0."""

    def affine(self, scaling: Scaling) -> tuple[FloatArray, FloatArray]:
        """loc and scale, (n_series or 1, columns): scaled = (original - loc) / scale."""
        match scaling:
            case "standard":
                return self.mean, self.std
            case "mean":
                return np.zeros_like(self.size), self.size
            case "none":
                return np.zeros_like(self.mean), np.ones_like(self.std)

    def to_json(self) -> dict[str, Any]:
        """Lists, from which ``Scaler.from_json`` makes this scaler again, bit for bit."""
        return {name: getattr(self, name).tolist() for name in ("mean", "std", "size")}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Scaler:
        """What ``to_json`` wrote."""
        return cls(**{name: np.array(record[name], dtype=np.float64) for name in ("mean", "std", "size")})


@dataclass(frozen=True, kw_only=True)
class Scalers:
    """A scaler for each kind of column."""

    targets: Scaler
    """By series: (n_series, C)."""
    covariates: Scaler
    """Over all series: (1, P)."""
    known: Scaler
    """Over all series: (1, known ahead without the calendar)."""
    static: Scaler
    """Over the series: (1, S)."""

    def to_json(self) -> dict[str, Any]:
        """Lists, from which ``Scalers.from_json`` makes these again, bit for bit."""
        return {field.name: getattr(self, field.name).to_json() for field in fields(self)}

    @classmethod
    def from_json(cls, record: dict[str, Any]) -> Scalers:
        """What ``to_json`` wrote."""
        return cls(**{field.name: Scaler.from_json(record[field.name]) for field in fields(cls)})


@dataclass(frozen=True, kw_only=True)
class Split:
    """Where a stage trains and where it is scored. Ranges are rows [start, end) within each series; an empty one is (0, 0)."""

    name: str
    train: IntArray
    """(n_series, 2): past and targets of every training window lie in here."""
    score: IntArray
    """(n_series, 2): all targets of every scored window lie in here; its past may reach back before."""


@dataclass(frozen=True, kw_only=True)
class Stage(Split):
    """A consecutive part of a plan: a split, and what was fitted on its train rows."""

    scalers: Scalers


@dataclass(frozen=True, kw_only=True)
class PreparedData:
    """The panel as trials see it. It ends with the last row that may be scored: rows after that are not in here."""

    values: FloatArray
    """(rows, C) float64, original units"""
    observed: BoolArray
    """(rows, C)"""
    covariates: FloatArray
    """(rows, P) float64, original units"""
    known: FloatArray
    """(rows, known ahead without the calendar) float64, original units"""
    static: FloatArray
    """(n_series, S) float64"""
    static_categories: IntArray
    """(n_series, G)"""
    cardinalities: tuple[int, ...]
    """How many values each static category has."""
    calendar: FloatArray
    """(time line, features) float32: rows that series share where they overlap in time, in step with each other."""
    calendar_rows: IntArray
    """(n_series,): the calendar row of the first row of each series."""
    offsets: IntArray
    """(n_series + 1,)"""
    start_times: npt.NDArray[np.datetime64]
    """(n_series,), datetime64[ns]: of the first row of each series"""
    horizon: int
    first_counted: int
    """Steps of the horizon before this one, from 0, count neither in losses nor in scores."""
    whole_numbers: bool
    """Whether forecasts are rounded to whole numbers before they are scored."""
    frequency: str
    period: int
    """Steps of one season: 24 for hourly data."""
    stages: tuple[Stage, ...]
    chained: bool
    """Whether one network learns the stages in turn; else each has a network of its own."""
    channels: tuple[str, ...]
    series: tuple[str, ...]
    sha256: str
    """Of the whole panel: values, masks, times, names."""

    @property
    def n_known(self) -> int:
        """Features known ahead: the calendar's and the user's."""
        return int(self.calendar.shape[1] + self.known.shape[1])
