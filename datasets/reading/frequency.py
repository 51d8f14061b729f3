"""Frequencies: one spelling, found from the times themselves."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

Times: TypeAlias = npt.NDArray[np.datetime64]

_RENAMED = {"H": "h", "T": "min", "S": "s", "M": "ME", "Q": "QE", "A": "YE", "Y": "YE", "AS": "YS"}
_UNITS = {
    **{"s": "second", "min": "minute", "h": "hour", "D": "day", "B": "day", "W": "week"},
    **{"MS": "month", "ME": "month", "QS": "quarter", "QE": "quarter", "YS": "year", "YE": "year"},
}
_SECONDS = {
    **{"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800},
    **{"month": 2629800, "quarter": 7889400, "year": 31557600},  # of 365.25 days
}
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_UNITS_PER_SEASON = {"second": 3600, "minute": 1440, "hour": 24, "day": 7, "week": 52, "month": 12, "quarter": 4, "year": 1}


def _parts(alias: str) -> tuple[int, str, str]:
    match = re.fullmatch(r"(\d*)([A-Za-z]+)(-[A-Za-z]+)?", alias.strip())
    number, name, anchor = match.groups(default="") if match else ("", "", "")
    name = _RENAMED.get(name, name)
    if name not in _UNITS or number == "0":
        raise ValueError(f"a frequency is a pandas alias like h, 15min, D, W-SUN or MS, got {alias!r}")
    return int(number or 1), name, anchor


def normalise(alias: str) -> str:
    """An alias in the spelling of pandas 3, from that or from the older one: H to h, 15T to 15min, M to ME.

    Raises:
        ValueError: it is none, or shorter than a second.
    """
    n, name, anchor = _parts(alias)
    return f"{n if n > 1 else ''}{name}{anchor.upper()}"


def step_of(frequency: str) -> tuple[int, str]:
    """A step as so many units: second, minute, hour, day, week, month, quarter or year."""
    n, name, _ = _parts(frequency)
    return n, _UNITS[name]


def unit_of(frequency: str) -> str:
    """The unit of which a step is a multiple."""
    return step_of(frequency)[1]


def seconds_of(frequency: str) -> int:
    """Seconds of a step; of a month, a quarter or a year on average."""
    n, unit = step_of(frequency)
    return n * _SECONDS[unit]


def months_of(frequency: str) -> int | None:
    """Months of a step; None where a step is not a number of them."""
    n, unit = step_of(frequency)
    return n * _MONTHS[unit] if unit in _MONTHS else None


def period_of(frequency: str) -> int:
    """Steps of one season: an hour of seconds, a day of minutes or hours, a week of days, a year of all that is longer."""
    n, name, _ = _parts(frequency)
    return max(1, round((5 if name == "B" else _UNITS_PER_SEASON[_UNITS[name]]) / n))


def is_business(frequency: str) -> bool:
    """Whether steps are business days: weekends lie between rows, five rows make a week."""
    return _parts(frequency)[1] == "B"


def time_of(start: npt.ArrayLike, row: npt.ArrayLike, frequency: str) -> Times:
    """The time of a row, or of many, to the second: ``row`` steps after ``start``, or before it if negative.

    Not by ``pandas.date_range``, whose nanoseconds end in 2262, where long series of years go on, and which moves a start that
    lies off its anchor, such as a Monday with W-SUN.

    Args:
        start: The time of row 0, or one for each row.
        row: One or many.
        frequency: The step.
    """
    n, name, _ = _parts(frequency)
    unit, steps = _UNITS[name], np.asarray(row, dtype=np.int64) * n
    begin = np.asarray(start, dtype="datetime64[s]")
    days = begin.astype("datetime64[D]")
    if name == "B":
        moved: Times = np.busday_offset(days, steps, roll="forward")
    elif unit in _MONTHS:
        months = begin.astype("datetime64[M]") + steps * _MONTHS[unit]
        moved = (months + 1).astype("datetime64[D]") - 1 if name.endswith("E") else months.astype("datetime64[D]")
    else:
        return np.asarray(begin + steps * _SECONDS[unit])
    return np.asarray(moved.astype("datetime64[s]") + (begin - days))


def first_uneven(times: pd.DatetimeIndex, offsets: npt.NDArray[np.int64], frequency: str) -> int | None:
    """The first row that is not one step after the row before it in its series, or lies off the calendar of all.

    Args:
        times: In ns, series after series.
        offsets: Where each series begins, and the end.
        frequency: The step.
    """
    if re.fullmatch(r"\d*(s|min|h|D)", frequency):
        steps, step, off = times.asi8, seconds_of(frequency) * 10**9, np.zeros(len(times), dtype=bool)
    else:
        grid = pd.date_range(times.min(), times.max(), freq=frequency.lstrip("0123456789")).as_unit("ns")
        steps, step = grid.get_indexer(times), step_of(frequency)[0]
        off = steps < 0
    odd = np.diff(steps, prepend=steps[:1]) != step
    odd[offsets[:-1]] = False
    odd |= off
    return int(np.argmax(odd)) if odd.any() else None


def infer(times: pd.DatetimeIndex, file: str, place: Callable[[int], str], usual: str | None = None) -> str:
    """The frequency of times that rise strictly.

    Args:
        times: One time a row.
        file: Named in errors.
        place: Names a row by its number, as people find it in the file.
        usual: The frequency that is expected if rows are missing.

    Raises:
        ValueError: a row is missing, or there is no common step.
    """
    if len(times) < 3:
        raise ValueError(f"{file}: 3 rows are needed to tell how far they are apart, got {len(times)}; bring more data")
    if found := _inferred(times):
        return found
    # A frequency that some rows agree on, and on whose grid all rows lie, tells which rows are missing.
    spread = np.unique(np.linspace(0, len(times) - 3, 100, dtype=int))
    grids = [pd.date_range(times[0], times[-1], freq=f) for f in {usual, *(_inferred(times[i : i + 3]) for i in spread)} if f]
    if fitting := [grid for grid in grids if times.isin(grid).all()]:
        grid = min(fitting, key=lambda grid: (len(grid), str(grid.freqstr)))
        present = grid.isin(times)
        first = int(np.argmin(present))
        n_missing, n_gaps = int((~present).sum()), int((np.diff(present.astype(int)) == -1).sum())
        raise ValueError(
            f"{file}: rows must be evenly spaced, got none for {grid[first]} after {place(first - 1)} "
            f"({n_missing} missing, gaps: {n_gaps}, step: {grid.freqstr}); add them with empty cells and use --fill"
        )
    steps = np.diff(times.to_numpy())
    kinds, counts = np.unique(steps, return_counts=True)
    usual = kinds[np.argmax(counts)]
    odd = int(np.argmax(steps != usual))
    raise ValueError(
        f"{file}: rows must be evenly spaced, got {pd.Timedelta(steps[odd])} after {place(odd)} "
        f"where {pd.Timedelta(usual)} is usual; resample the table"
    )


def _inferred(times: pd.DatetimeIndex) -> str | None:
    try:
        return normalise(found) if (found := pd.infer_freq(times)) else None
    except ValueError:
        return None
