"""The data contract: a ``Panel`` of series, and the ``Dataset`` that knows how to read one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from datasets.config import Borders

FloatArray: TypeAlias = npt.NDArray[np.floating]
BoolArray: TypeAlias = npt.NDArray[np.bool_]
IntArray: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Panel:
    """All of the data in original units, as flat arrays: one table after the other. One table is a panel of one series.

    Series ``i`` holds rows ``offsets[i]:offsets[i + 1]``; its rows are ``frequency`` apart from ``start_times[i]`` on.
    """

    values: FloatArray
    """(sum of lengths, C), original units. A value that was missing holds what the fill rule put there."""
    observed: BoolArray
    """(sum of lengths, C): False where a value was missing in the source."""
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

    def __post_init__(self) -> None:
        rows, width = self.values.shape
        assert self.observed.shape == (rows, width), (self.observed.shape, self.values.shape)
        assert (self.offsets[0], self.offsets[-1], len(self.offsets)) == (0, rows, len(self.series) + 1)
        assert (len(self.channels), len(self.start_times)) == (width, len(self.series))

    @property
    def lengths(self) -> IntArray:
        """(n_series,): rows of each series."""
        return np.diff(self.offsets)


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """A data set by name, or the user's file under the same contract."""

    name: str
    summary: str
    """One line for ``--list``."""
    read: Callable[[Path | None], Panel]
    """Reads the panel. The argument is the folder to look in first (``--data-dir``), or None."""
    borders: Callable[[int], Borders] = Borders.from_fractions
    """Rows of a series to its borders."""
    source: str = ""
    licence: str = ""
