"""The data contract: a ``Panel`` of series, and the ``Dataset`` that knows how to read one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from datasets.config import Columns, Cut, by_fractions

FloatArray: TypeAlias = npt.NDArray[np.floating]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
IntArray: TypeAlias = npt.NDArray[np.int64]


def _nothing() -> FloatArray:
    return np.zeros((0, 0))


def _no_categories() -> IntArray:
    return np.zeros((0, 0), dtype=np.int64)


@dataclass(frozen=True, kw_only=True)
class Panel:
    """All of the data in original units, as flat arrays: one table after the other. One table is a panel of one series.

    Series ``i`` holds rows ``offsets[i]:offsets[i + 1]``; its rows are ``frequency`` apart from ``start_times[i]`` on. Rows
    at the end of a series in which no target was observed lie in its future: they bring what is known ahead. Absent arrays have
    width 0.
    """

    values: FloatArray
    """(rows, C) float64: the targets. A value that was missing holds what the fill rule put there, or NaN before that."""
    observed: BoolArray
    """(rows, C): False where a target was missing in the source."""
    offsets: IntArray
    """(n_series + 1,)"""
    start_times: npt.NDArray[np.datetime64]
    """(n_series,), datetime64[ns]"""
    frequency: str
    """A pandas offset alias of today's spelling: h, 15min, D, W-SUN, MS ..."""
    series: tuple[str, ...]
    """Name of each series."""
    channels: tuple[str, ...]
    """Name of each column of ``values``."""
    covariates: FloatArray = field(default_factory=_nothing)
    """(rows, P): known only up to the origin."""
    covariate_names: tuple[str, ...] = ()
    known: FloatArray = field(default_factory=_nothing)
    """(rows, K): known ahead."""
    known_names: tuple[str, ...] = ()
    static: FloatArray = field(default_factory=_nothing)
    """(n_series, S): numbers that belong to a series."""
    static_names: tuple[str, ...] = ()
    static_categories: IntArray = field(default_factory=_no_categories)
    """(n_series, G): the place of each word in ``categories``."""
    category_names: tuple[str, ...] = ()
    categories: tuple[tuple[str, ...], ...] = ()
    """The words of each column of ``static_categories``."""
    n_missing: int = 0
    """Values of all kinds that were missing in the source."""

    def __post_init__(self) -> None:
        (rows, width), n_series = self.values.shape, len(self.series)
        for name, length in (("covariates", rows), ("known", rows), ("static", n_series), ("static_categories", n_series)):
            if getattr(self, name).size == 0:
                object.__setattr__(self, name, np.zeros((length, 0), dtype=getattr(self, name).dtype))
            assert len(getattr(self, name)) == length, (name, getattr(self, name).shape)
        assert self.observed.shape == (rows, width), (self.observed.shape, self.values.shape)
        assert (self.offsets[0], self.offsets[-1], len(self.offsets)) == (0, rows, n_series + 1)
        assert (len(self.channels), len(self.start_times)) == (width, n_series)
        assert self.covariates.shape[1] == len(self.covariate_names)
        assert self.known.shape[1] == len(self.known_names)
        assert self.static.shape[1] == len(self.static_names)
        assert self.static_categories.shape[1] == len(self.category_names) == len(self.categories)

    @property
    def lengths(self) -> IntArray:
        """(n_series,): rows of each series, those of its future among them."""
        return np.diff(self.offsets)

    @property
    def history(self) -> IntArray:
        """(n_series,): rows of each series up to the last one in which a target was observed."""
        ends = np.flatnonzero(np.append(True, self.observed.any(axis=1)))  # 0, and the row after each that has a target
        last = ends[np.searchsorted(ends, self.offsets[1:], side="right") - 1]
        rows: IntArray = np.maximum(last - self.offsets[:-1], 0)
        return rows


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A data set by name, or the user's file under the same contract."""

    name: str
    summary: str
    """One line for ``--list``."""
    read: Callable[[Path | None, Columns], Panel]
    """Reads the panel, missing values as NaN. Arguments: the folder to look in first (``--data-dir``) or None; the columns."""
    borders: Cut = by_fractions
    """Where a series is cut."""
    source: str = ""
    licence: str = ""
