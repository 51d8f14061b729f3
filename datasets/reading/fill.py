"""What stands for a missing value. It stays marked in ``observed``, or is a covariate."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from datasets.base import BoolArray, FloatArray, IntArray, Panel
from datasets.config import FILLS
from datasets.reading.frequency import period_of, time_of


def missing(panel: Panel) -> BoolArray:
    """(rows, C + P + K): the values that should be there and are not, of targets, covariates and what is known ahead.

    After the last observed target of a series, a row that says something known ahead is its future, where targets and
    covariates are not expected. A row that says nothing is missing as a whole.
    """
    known = np.isnan(panel.known)
    future = _after_history(panel, panel.history) & ~known.all(axis=1)
    past_only = np.concatenate([np.isnan(panel.values), np.isnan(panel.covariates)], axis=1)
    return np.concatenate([past_only & ~future[:, None], known], axis=1)


def unseen(panel: Panel, ranges: IntArray) -> BoolArray:
    """(n_series, C + P + K): whether a column of a series has no value in some rows.

    Args:
        panel: As read.
        ranges: (n_series, 2): rows [start, end) of each series, of which there is one at least.
    """
    there = ~np.isnan(np.concatenate([panel.values, panel.covariates, panel.known], axis=1))
    seen = np.concatenate([np.zeros((1, there.shape[1]), dtype=np.int64), np.cumsum(there, axis=0)])
    starts, ends = (panel.offsets[:-1, None] + ranges).T
    return np.asarray(seen[ends] == seen[starts])


def fill(panel: Panel, rule: str | None, where: str) -> Panel:
    """The panel without NaN.

    Args:
        panel: As read.
        rule: forward: the value before; at the start of a series, where there is none, the first value after, which is to be a
            train row (``unseen``). seasonal: the value one season before, be it filled itself; in the first season, as forward.
            zero: 0. Apart from the start of a series no rule looks ahead. None: a missing value is an error.
        where: The file or the name of the set, for errors.

    Returns:
        Targets, covariates and what is known ahead filled; targets and covariates after the last observed target of a series,
        which nobody reads, are 0.

    Raises:
        ValueError: a value is missing and ``rule`` is None; there is none to fill from; or one known ahead is missing after
            the last observed target.
    """
    if rule is not None and rule not in FILLS:
        raise ValueError(f"fill must be one of {', '.join(FILLS)}, got {rule!r}")
    names = (*panel.channels, *panel.covariate_names, *panel.known_names)
    history = panel.history
    future = _after_history(panel, history)
    if (unknown := np.isnan(panel.known) & future[:, None]).any():
        row, column = _first(unknown)
        raise ValueError(
            f"{where}: what is known ahead must be there after the last target, got nothing {_place(panel, row)}, "
            f"column {panel.known_names[column]!r}; fill it in or remove the rows from there on"
        )
    lacks = missing(panel)
    if rule is None and lacks.any():
        row, column = _first(lacks)
        raise ValueError(
            f"{where}: values must not be missing, got {int(lacks.sum())} empty or not finite, the first {_place(panel, row)}, "
            f"column {names[column]!r}; use --fill {', '.join(FILLS[:-1])} or {FILLS[-1]}"
        )
    if not (lacks.any() or future.any()):
        return panel
    width, n_past = len(panel.channels), len(panel.channels) + len(panel.covariate_names)
    filled = np.concatenate([panel.values, panel.covariates, panel.known], axis=1)
    if (nothing := np.isnan(filled).all(axis=0)).any():
        name = names[int(np.argmax(nothing))]
        raise ValueError(f"{where}: a column needs one value at least to be filled, got none in column {name!r}; remove it")
    filled[future, :n_past] = 0.0
    if rule == "zero":
        filled[np.isnan(filled)] = 0.0
    elif rule is not None:
        _from_the_past(filled, panel, history, period_of(panel.frequency) if rule == "seasonal" else 1, where, names)
    return replace(panel, values=filled[:, :width], covariates=filled[:, width:n_past], known=filled[:, n_past:])


def _from_the_past(
    columns: FloatArray, panel: Panel, history: IntArray, period: int, where: str, names: tuple[str, ...]
) -> None:
    """Fills in place. Forward is seasonal with a season of one step."""
    for column, name in enumerate(names):
        rows = np.flatnonzero(np.isnan(columns[:, column]))
        for i in np.unique(np.searchsorted(panel.offsets, rows, side="right") - 1):
            start = int(panel.offsets[i])
            past = columns[start : start + int(history[i]), column]
            there = ~np.isnan(past)
            if not there.any():
                raise ValueError(
                    f"{where}: a series needs one value at least to be filled, got none in series {panel.series[i]!r}, column "
                    f"{name!r}; use --fill zero, or remove the series or the column"
                )
            season = past[:period]
            season[:] = _forward(np.concatenate([past[np.argmax(there)][None], season])[:, None])[1:, 0]
            whole = np.full(-(-len(past) // period) * period, np.nan)
            whole[: len(past)] = past
            past[:] = _forward(whole.reshape(-1, period)).reshape(-1)[: len(past)]


def _forward(table: FloatArray) -> FloatArray:
    """Each NaN gets the value above it."""
    last = np.maximum.accumulate(np.where(np.isnan(table), 0, np.arange(len(table))[:, None]), axis=0)
    return np.take_along_axis(table, last, axis=0)


def _after_history(panel: Panel, history: IntArray) -> BoolArray:
    """(rows,): the rows after the last observed target of their series."""
    return np.arange(len(panel.values)) >= np.repeat(panel.offsets[:-1] + history, panel.lengths)


def _first(mask: BoolArray) -> tuple[int, int]:
    row = int(np.argmax(mask.any(axis=1)))
    return row, int(np.argmax(mask[row]))


def _place(panel: Panel, row: int) -> str:
    i = int(np.searchsorted(panel.offsets, row, side="right")) - 1
    time = time_of(panel.start_times[i], row - int(panel.offsets[i]), panel.frequency)
    return f"at {time.astype(object)} in series {panel.series[i]!r}"
