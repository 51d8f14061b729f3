"""A csv or parquet table to a ``Panel``, of one series or of many. What is wrong with a file is said in one sentence."""

from __future__ import annotations

import csv
import warnings
import zlib
from collections.abc import Callable, Hashable, Iterable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from datasets.base import IntArray, Panel
from datasets.config import Columns
from datasets.reading import TABLE_SUFFIXES
from datasets.reading.assign import ALL_TARGETS, Source, assign, parts
from datasets.reading.frequency import first_uneven, infer

TIME_NAMES = ("date", "time", "timestamp", "datetime", "ds", "time_hour")
_UNREADABLE = (OSError, UnicodeDecodeError, EOFError, zlib.error, csv.Error, pa.ArrowException)
_OFFSET = r"(?<=[ T]\d\d)(|:?\d\d|:?\d\d:?\d\d(?:\.\d+)?) ?(?:Z|[+-]\d\d(?::?\d\d)?)$"
_MISSING = ("", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "-NaN", "-nan", "NULL", "null", "None")


def read_table(path: Path, columns: Columns = ALL_TARGETS) -> Panel:
    """Reads a table: a time column, evenly spaced and rising, and columns of numbers. Missing values stay NaN.

    Args:
        path: A .csv, .csv.gz or .parquet file. A csv has one header line and commas.
        columns: What the columns are. With a series id the table is long: it holds many series, whose rows may stand apart but
            rise in time. The time column is by default the only one without another part that is called date, time,
            timestamp, datetime, ds or time_hour. Times have the year first (ISO 8601). Those with an offset are turned to UTC;
            but if all steps are whole days or longer, so that summer time changes the offset and not the hour, they stay as
            written.

    Returns:
        The series in the order in which they first appear; without a series id one, named after the file. Rows at the end of
        a series that have no target but something known ahead are its future.

    Raises:
        ValueError, LookupError: what is wrong, in which file, line, column and series, and the way out.
    """
    frame, place = _frame(path, columns)
    time = _time_column(frame, path, columns)
    ids = [name for name in frame.columns if name == columns.series_id]
    _check_cells(frame, [name for name in frame.columns if name in (*columns.static, *ids)], path, place)
    parts(str(path), [str(name) for name in frame.columns if name not in (time, *ids)], ids, time, columns)
    if not len(frame):
        raise ValueError(f"{path}: rows are needed below the header, got none; is this the right file?")
    times, clock = _times(frame[time], path, place)
    series: tuple[str, ...] = (path.name.split(".")[0],)
    offsets = np.array([0, len(frame)], dtype=np.int64)
    if columns.series_id is not None:
        order, offsets, series = _grouped(frame, columns.series_id, path, place)
        frame, times, clock = frame.iloc[order], times[order], clock[order]
        place = _place_in_series(place, order, offsets, series)
    if _keep_hour(clock, offsets):
        times = clock
    _check_order(times, offsets, path, place, time)
    return assign(
        Source(
            where=str(path),
            rows=frame.drop(columns=[time, *ids]),
            per_series=pd.DataFrame({name: pd.Series(series, dtype=object) for name in ids}),
            offsets=offsets,
            start_times=times[offsets[:-1]].to_numpy().astype("datetime64[ns]"),
            frequency=_frequency(times, offsets, series, path, place),
            series=series,
            time=time,
            place=place,
        ),
        columns,
    )


def _grouped(
    frame: pd.DataFrame, name: str, path: Path, place: Callable[[int], str]
) -> tuple[IntArray, IntArray, tuple[str, ...]]:
    """The rows series after series, where each begins, and their names."""
    codes, names = pd.factorize(frame[name])
    if (codes < 0).any():
        row = int(np.argmax(codes < 0))
        raise ValueError(f"{path}: every row needs its series, got an empty cell in {place(row)}, column {name!r}; fill it in")
    order = np.argsort(codes, kind="stable").astype(np.int64)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(codes))]).astype(np.int64)
    return order, offsets, tuple(str(name) for name in names)


def _place_in_series(
    place: Callable[[int], str], order: IntArray, offsets: IntArray, series: tuple[str, ...]
) -> Callable[[int], str]:
    def found(row: int) -> str:
        i = int(np.searchsorted(offsets, row, side="right")) - 1
        return f"{place(int(order[row]))} (series {series[i]!r})"

    return found


def _check_order(times: pd.DatetimeIndex, offsets: IntArray, path: Path, place: Callable[[int], str], column: str) -> None:
    late = np.diff(times.to_numpy()) <= np.timedelta64(0)
    late[offsets[1:-1] - 1] = False
    if late.any():
        row = int(np.argmax(late)) + 1
        kind = "again" if times[row] == times[row - 1] else f"after {times[row - 1]}"
        remedy = "keep one of the two rows" if times[row] == times[row - 1] else "sort the rows by time"
        many = "" if len(offsets) > 2 else ", or use --series-id if the table holds many series"
        raise ValueError(f"{path}: times must rise, got {times[row]} {kind} in {place(row)}, column {column!r}; {remedy}{many}")


def _frequency(
    times: pd.DatetimeIndex, offsets: IntArray, series: tuple[str, ...], path: Path, place: Callable[[int], str]
) -> str:
    """The frequency of the longest series, which all others must have."""

    def own(i: int, usual: str | None = None) -> str:
        start, end = (int(row) for row in offsets[i : i + 2])
        return infer(times[start:end], str(path), lambda row: place(start + row), usual)

    longest = int(np.argmax(np.diff(offsets)))
    frequency = own(longest)
    row = first_uneven(times, offsets, frequency)
    if row is None:
        return frequency
    i = int(np.searchsorted(offsets, row, side="right")) - 1
    start, end = (int(row) for row in offsets[i : i + 2])
    if end - start >= 3:
        kind = f"{own(i, frequency)} from {times[start]} on"  # or it has a gap, and says so
    elif row > start:
        kind = f"a step of {times[row] - times[row - 1]}"
    else:
        kind = f"a row at {times[row]}"
    raise ValueError(
        f"{path}: all series must have one frequency, got {kind} in {place(row)} where {frequency} is the step of series "
        f"{series[longest]!r}; resample the table"
    )


def _frame(path: Path, columns: Columns) -> tuple[pd.DataFrame, Callable[[int], str]]:
    """The raw table, and what a row is called in its file."""
    if not path.is_file():
        raise ValueError(f"{path}: {'a folder is no table' if path.is_dir() else 'there is no such file'}; check the path")
    if not path.name.lower().endswith(TABLE_SUFFIXES):
        raise ValueError(
            f"{path}: a table is a {', '.join(TABLE_SUFFIXES)} file, got {path.suffix or 'no suffix'!r}; convert it"
        )
    try:
        if path.suffix.lower() == ".parquet":
            return _flat(pd.read_parquet(path), path, columns), lambda row: f"row {row + 1}"
        words = {*columns.static, columns.series_id}  # in which NA is a word like others
        header = pd.read_csv(path, header=None, nrows=1, dtype=str, skip_blank_lines=False).iloc[0]
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # more cells than columns
            frame = pd.read_csv(
                path,
                index_col=False,
                skip_blank_lines=False,
                low_memory=False,
                float_precision="round_trip",
                keep_default_na=False,
                na_values={name: [""] if name in words else _MISSING for name in header.dropna()},
                dtype={name: str for name in header.dropna() if name in (columns.series_id, *(columns.categories or ()))},
            )
    except pd.errors.EmptyDataError:
        raise ValueError(
            f"{path}: a header in line 1 and rows are needed, got nothing there; is this the right file?"
        ) from None
    except (pd.errors.ParserError, pd.errors.ParserWarning) as error:
        tokenizer = isinstance(error, pd.errors.ParserError)
        detail = _first_line(error).removeprefix("Error tokenizing data. C error: ") if tokenizer else "more cells than names"
        raise ValueError(f"{path}: every line needs as many cells as the header, got: {detail}; mend the file") from None
    except (*_UNREADABLE, ValueError) as error:
        suffix = next(suffix for suffix in reversed(TABLE_SUFFIXES) if path.name.lower().endswith(suffix))
        raise ValueError(f"{path}: the file must be a sound {suffix[1:]}, got: {_first_line(error)}; is it one?") from None
    if (unnamed := header.isna() | header.duplicated()).any():
        column = int(np.argmax(unnamed))
        name = "no name" if pd.isna(header[column]) else f"{header[column]!r} again"
        raise ValueError(
            f"{path}: every column needs its own name in line 1, got {name} in column {column + 1}; name or remove it"
        )
    lines = np.arange(2, len(frame) + 2)
    kept = frame.notna().any(axis=1).to_numpy()  # blank lines are passed over, and counted
    frame, lines = frame[kept].reset_index(drop=True), lines[kept]
    return frame, lambda row: f"line {lines[row]}"


def _flat(frame: pd.DataFrame, path: Path, columns: Columns) -> pd.DataFrame:
    """A parquet table whose index and periods are columns like others, of one value a cell."""
    if isinstance(frame.index, (pd.DatetimeIndex, pd.PeriodIndex)) and frame.index.name is None:
        frame = frame.rename_axis("time")
    named = [name for name in frame.index.names if name is not None]
    if named and not isinstance(frame.index, pd.RangeIndex):
        twice = next((name for name in named if name in frame.columns), None)
        if twice is not None:
            raise ValueError(f"the index {twice!r} has the name of a column")
        frame = frame.reset_index(named)
    frame.columns = frame.columns.map(str)
    for name in frame.columns:
        if isinstance(frame[name].dtype, pd.PeriodDtype):
            frame[name] = frame[name].dt.to_timestamp()
    return frame


def _check_cells(frame: pd.DataFrame, names: Iterable[str], path: Path, place: Callable[[int], str]) -> None:
    """Names of series and what is static are told apart by value, which lists are not."""
    for name in names:
        whole = frame[name].map(lambda cell: isinstance(cell, Hashable)) if frame[name].dtype == object else pd.Series(True)
        if not whole.all():
            row = int(np.argmin(whole))
            raise ValueError(
                f"{path}: a cell must hold one value, got {type(frame[name].iloc[row]).__name__} in {place(row)}, column "
                f"{name!r}; remove the column or do not name it"
            )


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


def _time_column(frame: pd.DataFrame, path: Path, parts: Columns) -> str:
    wanted, columns = parts.time, [str(name) for name in frame.columns]
    taken = {*parts.target, *(parts.covariates or ()), *parts.known, *parts.static, parts.series_id}
    usual = [name for name in columns if name.strip().lower() in TIME_NAMES and name not in taken]
    found = usual if wanted is None else [name for name in columns if name == wanted]
    if len(found) == 1:
        return found[0]
    rule = f"a time column named {wanted!r}" if wanted is not None else f"one time column named {', '.join(TIME_NAMES)}"
    shown = ", ".join([name if name.isprintable() else repr(name) for name in columns[:20]] + ["..."] * (len(columns) > 20))
    raise ValueError(
        f"{path}: {rule} is needed, got {len(found)} among the columns {shown}; "
        f"{'rename one' if not found else 'keep one'}{' (cells are separated by commas)' if len(columns) == 1 else ''}"
    )


def _times(column: pd.Series, path: Path, place: Callable[[int], str]) -> tuple[pd.DatetimeIndex, pd.DatetimeIndex]:
    """The times in UTC, and as the clock there shows them: the same without an offset."""
    if pd.api.types.is_numeric_dtype(column.dtype):
        raise ValueError(
            f"{path}: times must be written like 2024-01-31 13:00, got {column.iloc[0]} in {place(0)}, column {column.name!r}; "
            "write them so"
        )
    if column.dtype.kind == "M":
        utc, clock = pd.to_datetime(column, utc=True), column.dt.tz_localize(None)
        mixed = pd.Series(False, column.index)
    else:
        words = column.astype(str).where(column.notna(), "")
        words = words.where(words.str.match(r"\d{4}"), "")  # not: now, today
        shown = words.str.replace(_OFFSET, r"\1", regex=True)
        mixed = (shown != words) != (shown.iloc[0] != words.iloc[0])
        utc, clock = (pd.to_datetime(some, format="ISO8601", errors="coerce", utc=True) for some in (words, shown))
        clock = clock.dt.tz_localize(None)
    known = (utc.dt.year >= 1678) & (utc.dt.year <= 2261)  # what nanoseconds count; False where nothing is understood
    if (bad := (mixed | clock.isna() | ~known).to_numpy()).any():
        row = int(np.argmax(bad))
        cell = "an empty cell" if pd.isna(column.iloc[row]) else repr(str(column.iloc[row]))
        raise ValueError(
            f"{path}: times must be written year first, as in 2024-01-31 13:00, from 1678 to 2261, all with an offset like "
            f"+01:00 or none, got {cell} in {place(row)}, column {column.name!r}; write it so"
        )
    return pd.DatetimeIndex(utc.dt.as_unit("ns").dt.tz_localize(None)), pd.DatetimeIndex(clock.dt.as_unit("ns"))


def _keep_hour(clock: pd.DatetimeIndex, offsets: IntArray) -> bool:
    """Whether all steps are whole days or longer: the hour is the same within each series."""
    since_midnight = (clock - clock.normalize()).asi8
    return bool((since_midnight == np.repeat(since_midnight[offsets[:-1]], np.diff(offsets))).all())
