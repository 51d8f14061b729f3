"""Series too short for the longest window: decided once for a study, so that what is scored never moves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from datasets.base import IntArray, Panel
from datasets.config import SHORT_SERIES
from datasets.reading.frequency import time_of

_FIRST = np.datetime64("1678-01-01")
"""Before it nanoseconds do not count."""


def short_series(panel: Panel, n_rows: int, rule: str | None, where: str, enough: Callable[[int], bool] | None = None) -> Panel:
    """The panel with enough rows of history in each series.

    Args:
        panel: Filled, if rows may be put in front.
        n_rows: Rows up to the last observed target that are enough, and so is every number above.
        rule: drop: shorter series are left out. pad: rows come in front of them, like their first row but not observed. None:
            a shorter series is an error.
        where: The file or the name of the set, for errors.
        enough: Whether fewer rows than ``n_rows`` are; None: they never are.

    Raises:
        ValueError: a series is shorter and ``rule`` is None; none is left; or one to be padded has no observed target.
    """
    if rule is not None and rule not in SHORT_SERIES:
        raise ValueError(f"short series must be one of {', '.join(SHORT_SERIES)}, got {rule!r}")
    lacks = lacking(panel, n_rows, enough)
    if not lacks.any():
        return panel
    shortest = int(np.argmax(lacks))
    found = (
        f"got {int((lacks > 0).sum())} of {len(lacks)} shorter, the shortest is {panel.series[shortest]!r} with "
        f"{n_rows - int(lacks[shortest])} rows"
    )
    if rule is None:
        raise ValueError(
            f"{where}: every series needs {n_rows} rows up to its last target, {found}; use --short-series drop or pad, or a "
            "shorter lookback"
        )
    if rule == "drop" and lacks.all():
        raise ValueError(f"{where}: a series must be left that has {n_rows} rows, {found}; use a shorter lookback")
    if rule == "pad" and lacks[shortest] == n_rows:
        raise ValueError(
            f"{where}: a series needs an observed target to be padded, got none in {panel.series[shortest]!r}; "
            "remove it or use --short-series drop"
        )
    return take_series(panel, np.flatnonzero(lacks == 0)) if rule == "drop" else put_in_front(panel, lacks)


def lacking(panel: Panel, n_rows: int, enough: Callable[[int], bool] | None = None) -> IntArray:
    """(n_series,): how many rows each series is short of ``n_rows``; 0 where it has enough. Arguments: see ``short_series``."""
    lacks: IntArray = np.maximum(n_rows - panel.history, 0)
    if enough is not None:
        for i in np.flatnonzero(lacks):
            lacks[i] *= not enough(n_rows - int(lacks[i]))
    return lacks


def take_series(panel: Panel, kept: IntArray) -> Panel:
    """The panel of some series, in that order."""
    return _arranged(panel, kept, np.zeros(len(kept), dtype=np.int64))


def put_in_front(panel: Panel, n_rows: IntArray) -> Panel:
    """The panel with so many rows in front of each series, like its first row but not observed.

    Raises:
        ValueError: a series would start before 1678.
    """
    return _arranged(panel, np.arange(len(n_rows)), n_rows) if n_rows.any() else panel


def _arranged(panel: Panel, kept: IntArray, n_front: IntArray) -> Panel:
    times = time_of(panel.start_times[kept], -n_front, panel.frequency)
    if (early := (n_front > 0) & (times < _FIRST)).any():
        name = panel.series[kept[int(np.argmax(early))]]
        raise ValueError(f"--short-series pad must start series in 1678 or later, got {name!r} in {times.min()}; use drop")
    starts, ends = panel.offsets[kept], panel.offsets[kept + 1]
    offsets = np.concatenate([[0], np.cumsum(ends - starts + n_front)]).astype(np.int64)
    firsts = np.repeat(starts, np.diff(offsets))
    wanted = np.arange(offsets[-1]) - np.repeat(offsets[:-1] + n_front - starts, np.diff(offsets))
    rows = np.maximum(wanted, firsts)
    return replace(
        panel,
        values=panel.values[rows],
        observed=panel.observed[rows] & (wanted >= firsts)[:, None],
        offsets=offsets,
        start_times=np.where(n_front > 0, times.astype("datetime64[ns]"), panel.start_times[kept]),
        series=tuple(panel.series[i] for i in kept),
        covariates=panel.covariates[rows],
        known=panel.known[rows],
        static=panel.static[kept],
        static_categories=panel.static_categories[kept],
    )
