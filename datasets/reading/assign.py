"""What the columns of a source are: targets, covariates, known ahead, static. The same for a file and for a named set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches

import numpy as np
import numpy.typing as npt
import pandas as pd

from datasets.base import FloatArray, IntArray, Panel
from datasets.config import Columns
from datasets.reading.fill import missing

ALL_TARGETS = Columns()
"""Every column of numbers is a target."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """What a reader found, before anyone said what its columns are."""

    where: str
    """The file or the name of the set, for errors."""
    rows: pd.DataFrame
    """One row a step, series after series: every column but the time and the series' names."""
    per_series: pd.DataFrame = field(default_factory=pd.DataFrame)
    """One row a series: what belongs to a series as a whole, its name in the source among it. May only be static."""
    offsets: IntArray
    start_times: npt.NDArray[np.datetime64]
    frequency: str
    series: tuple[str, ...]
    time: str | None = None
    """Name of the time column."""
    place: Callable[[int], str] = "row {}".format
    """Names a row as people find it."""


def assign(source: Source, columns: Columns) -> Panel:
    """The panel of a source; values that are missing or not finite are NaN, and counted.

    No targets named: every column that has no other part is one. Targets named, but no covariates: what is left are the
    covariates. Both named: what is left stays out.

    Raises:
        LookupError: a column does not exist; the message lists those that do.
        ValueError: a column has two parts, a number is none, or a static column varies, has an empty cell, or has words where
            ``columns.categories`` wants numbers.
    """
    per_step, per_series = ([str(name) for name in frame.columns] for frame in (source.rows, source.per_series))
    target, covariates, known = parts(source.where, per_step, per_series, source.time, columns)
    static, categories = _static(source, columns)
    left_over = ", or leave it out: --covariates names those that are meant, or none"
    values = _numbers(source, target)
    panel = Panel(
        values=values,
        observed=~np.isnan(values),
        offsets=source.offsets,
        start_times=source.start_times,
        frequency=source.frequency,
        series=source.series,
        channels=target,
        covariates=_numbers(source, covariates, left_over if columns.covariates is None else ""),
        covariate_names=covariates,
        known=_numbers(source, known),
        known_names=known,
        static=_stacked(list(static.values()), len(source.series), np.float64),
        static_names=tuple(static),
        static_categories=_stacked([codes for codes, _ in categories.values()], len(source.series), np.int64),
        category_names=tuple(categories),
        categories=tuple(words for _, words in categories.values()),
    )
    return replace(panel, n_missing=int(missing(panel).sum()))


def unknown_column(where: str, name: str, existing: Sequence[str]) -> LookupError:
    """The error for a column that does not exist."""
    close = get_close_matches(name, existing, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return LookupError(f"{where}: no column is named {name!r}; there are: {', '.join(existing)}{hint}")


def parts(
    where: str, per_step: Sequence[str], per_series: Sequence[str], time: str | None, columns: Columns
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """The names of targets, covariates and what is known ahead, by the names that a source has.

    Raises:
        LookupError, ValueError: as of ``assign``.
    """
    clash = next((name for name in per_series if name in per_step), None)
    if clash is not None:
        raise ValueError(f"{where}: every column needs its own name, got {clash!r} twice; rename one")
    times = () if time is None else (time,)
    named = {
        "target": columns.target,
        "covariate": columns.covariates or (),
        "known": columns.known,
        "static": columns.static,
        "series id": () if columns.series_id is None or columns.series_id in columns.static else (columns.series_id,),
        "time": times if columns.time is None else (columns.time,),
    }
    for part, names in named.items():
        for name in names:
            if name not in (*times, *per_series, *per_step):
                raise unknown_column(where, name, [*times, *per_series, *per_step])
            if name in per_series and part not in ("static", "series id"):
                raise ValueError(f"{where}: {name!r} belongs to a series as a whole, got it as {part}; name it as static")
    for name, count in Counter(name for names in named.values() for name in names).items():
        if count > 1:
            found = " and ".join(part for part, names in named.items() for other in names if other == name)
            raise ValueError(f"{where}: a column has one part, got {name!r} as {found}; name it once")
    left = tuple(name for name in per_step if not any(name in names for names in named.values()))
    if not (columns.target or left):
        beside = "" if time is None else f" beside {time!r}"
        raise ValueError(f"{where}: at least one column of numbers is needed{beside}, got none; add one")
    if columns.target:
        return columns.target, left if columns.covariates is None else columns.covariates, columns.known
    return left, columns.covariates or (), columns.known


def _numbers(source: Source, names: tuple[str, ...], way_out: str = "") -> FloatArray:
    """(rows, names) float64; NaN where a value is missing or not finite. ``way_out`` is one more for the error."""
    result = np.empty((len(source.rows), len(names)))
    for i, name in enumerate(names):
        column = source.rows[name]
        numbers = pd.to_numeric(column, errors="coerce") if column.dtype.kind not in "mM" else pd.Series(np.nan, column.index)
        if (bad := (numbers.isna() & column.notna()).to_numpy()).any():
            row = int(np.argmax(bad))
            raise ValueError(
                f"{source.where}: every column but the time must hold numbers, got {str(column.iloc[row])!r} in "
                f"{source.place(row)}, column {name!r}; mend that cell, remove the column or name it as static{way_out}"
            )
        result[:, i] = numbers.to_numpy(dtype=np.float64, na_value=np.nan)
    result[~np.isfinite(result)] = np.nan
    return result


def _static(source: Source, columns: Columns) -> tuple[dict[str, FloatArray], dict[str, tuple[IntArray, tuple[str, ...]]]]:
    """The static columns of numbers, and those of words as codes with their sorted words; each with one entry a series."""
    numbers, categories = {}, {}
    for name in columns.static:
        column = source.per_series[name] if name in source.per_series else _collapsed(source, name)
        kind = pd.api.types.is_numeric_dtype(column.dtype)
        is_number = kind if columns.categories is None else name not in columns.categories
        if is_number and not kind:
            column = _as_numbers(source, column, name)
        values = column.to_numpy(dtype=np.float64, na_value=np.nan) if is_number else np.empty(0)
        if (empty := ~np.isfinite(values) if is_number else column.isna().to_numpy()).any():
            raise _empty_static(source, int(source.offsets[int(np.argmax(empty))]), name)
        if is_number:
            numbers[name] = values
        else:
            words, codes = np.unique(column.astype(str).to_numpy(dtype=np.str_), return_inverse=True)
            categories[name] = codes.astype(np.int64), tuple(str(word) for word in words)
    return numbers, categories


def _as_numbers(source: Source, column: pd.Series, name: str) -> pd.Series:
    """A static column of words that should be numbers; one entry a series."""
    numbers = pd.to_numeric(column, errors="coerce")
    if (bad := (numbers.isna() & column.notna()).to_numpy()).any():
        i = int(np.argmax(bad))
        raise ValueError(
            f"{source.where}: static column {name!r} must hold numbers as in training, got {str(column.iloc[i])!r} in "
            f"{source.place(int(source.offsets[i]))}; mend that cell"
        )
    return numbers


def _collapsed(source: Source, name: str) -> pd.Series:
    """A column of steps to one value a series."""
    column = source.rows[name]
    codes, _ = pd.factorize(column)
    if (codes < 0).any():
        raise _empty_static(source, int(np.argmax(codes < 0)), name)
    firsts = source.offsets[:-1]
    if (varies := codes != np.repeat(codes[firsts], np.diff(source.offsets))).any():
        row = int(np.argmax(varies))
        first = column.iloc[int(firsts[np.searchsorted(source.offsets, row, side="right") - 1])]
        got = f"{str(column.iloc[row])!r} after {str(first)!r} in {source.place(row)}"
        raise ValueError(
            f"{source.where}: a static column must not vary within a series, got {got}, column {name!r}; "
            "mend that cell or do not name the column as static"
        )
    return column.iloc[firsts]


def _empty_static(source: Source, row: int, name: str) -> ValueError:
    return ValueError(
        f"{source.where}: a static column must not have empty cells, got one in {source.place(row)}, column {name!r}; "
        "fill it in or do not name the column as static"
    )


def _stacked(columns: Sequence[npt.NDArray], n_rows: int, kind: type) -> npt.NDArray:
    return np.stack(columns, axis=1) if columns else np.zeros((n_rows, 0), dtype=kind)
