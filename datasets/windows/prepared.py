"""What a trial gets: scaled arrays, calendar features, the plan of stages. Numpy only: workers share it without copies."""

from __future__ import annotations

from dataclasses import dataclass

from datasets.base import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, kw_only=True)
class Scaler:
    """A z-score by channel, fitted on train rows only: scaled = (original - mean) / std."""

    mean: FloatArray
    """(n_series or 1, C) float64"""
    std: FloatArray
    """(n_series or 1, C) float64; 1 for a channel that is constant in the train rows."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A consecutive part of a plan. Ranges are rows [start, end) within each series."""

    name: str
    train: IntArray
    """(n_series, 2): past and targets of every training window lie in here."""
    score: IntArray
    """(n_series, 2): all targets of every scored window lie in here; its past may reach back before."""


@dataclass(frozen=True, kw_only=True)
class PreparedData:
    """The panel as trials see it. It ends with the last row that may be scored: rows after that are not in here."""

    values: FloatArray
    """(rows, C) float32, scaled"""
    observed: BoolArray
    """(rows, C)"""
    known: FloatArray
    """(rows, K) float32: calendar features"""
    offsets: IntArray
    """(n_series + 1,)"""
    scaler: Scaler
    horizon: int
    period: int
    """Steps of one season: 24 for hourly data."""
    stages: tuple[Stage, ...]
    channels: tuple[str, ...]
    series: tuple[str, ...]
    sha256: str
    """Of the whole panel: values, mask, times, names."""
