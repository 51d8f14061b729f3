"""One csv or parquet table to a ``Panel`` of one series. What is wrong with a file is said in one sentence."""

from __future__ import annotations

import csv
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from datasets.base import BoolArray, FloatArray, Panel
from datasets.reading import TABLE_SUFFIXES
from datasets.reading.frequency import infer

TIME_NAMES = ("date", "time", "timestamp", "datetime", "ds", "time_hour")
FILLS = ("forward", "linear", "zero")
_UNREADABLE = (OSError, UnicodeDecodeError, EOFError, zlib.error, csv.Error, pa.ArrowException)


def read_table(path: Path, *, time_column: str | None = None, fill: str | None = None) -> Panel:
    """Reads a table: a time column, evenly spaced and rising, and one column of numbers for each channel.

    Args:
        path: A .csv, .csv.gz or .parquet file. A csv has one header line and commas.
        time_column: Its name; None takes the only column that is called date, time, timestamp, datetime, ds or time_hour.
            Times with an offset are turned to UTC.
        fill: What stands for a missing value, which stays marked in ``observed``. forward: the value before it, past only (at
            the start of a channel, where there is none, the first value). linear: a line from the value before to the value
            after, so that it knows the next value; forward does not. zero: 0. None: a missing value is an error.

    Returns:
        A panel of one series named after the file.

    Raises:
        ValueError: what is wrong, in which file, line and column, and the way out.
    """
    if fill is not None and fill not in FILLS:
        raise ValueError(f"fill must be one of {', '.join(FILLS)}, got {fill!r}")
    frame, place = _frame(path)
    time = _time_column(frame, path, time_column)
    channels = [str(name) for name in frame.columns if name != time]
    if not channels:
        raise ValueError(f"{path}: at least one column of numbers is needed beside {time!r}, got none; add one")
    if not len(frame):
        raise ValueError(f"{path}: rows are needed below the header, got none; is this the right file?")
    times = _times(frame[time], path, place)
    frequency = infer(times, str(path), place)
    values = np.stack([_numbers(frame[name], path, place) for name in channels], axis=1)
    observed = np.isfinite(values)
    if not observed.all():
        values = _filled(values, observed, channels, path, place, fill)
    return Panel(
        values=values,
        observed=observed,
        offsets=np.array([0, len(values)], dtype=np.int64),
        start_times=times[:1].to_numpy().astype("datetime64[ns]"),
        frequency=frequency,
        series=(path.name.split(".")[0],),
        channels=tuple(channels),
    )


def _frame(path: Path) -> tuple[pd.DataFrame, Callable[[int], str]]:
    """The raw table, and what a row is called in its file."""
    if not path.is_file():
        raise ValueError(f"{path}: {'a folder is no table' if path.is_dir() else 'there is no such file'}; check the path")
    if not path.name.lower().endswith(TABLE_SUFFIXES):
        raise ValueError(
            f"{path}: a table is a {', '.join(TABLE_SUFFIXES)} file, got {path.suffix or 'no suffix'!r}; convert it"
        )
    try:
        if path.suffix.lower() == ".parquet":
            frame = pd.read_parquet(path)
            if isinstance(frame.index, pd.DatetimeIndex):
                frame = frame.rename_axis(str(frame.index.name or "time")).reset_index()
            frame.columns = frame.columns.map(str)
            return frame, lambda row: f"row {row + 1}"
        header = pd.read_csv(path, header=None, nrows=1, dtype=str, skip_blank_lines=False).iloc[0]
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # more cells than columns
            frame = pd.read_csv(path, index_col=False, skip_blank_lines=False, low_memory=False, float_precision="round_trip")
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


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


def _time_column(frame: pd.DataFrame, path: Path, wanted: str | None) -> str:
    columns = [str(name) for name in frame.columns]
    found = [name for name in columns if (name == wanted if wanted is not None else name.strip().lower() in TIME_NAMES)]
    if len(found) == 1:
        return found[0]
    rule = f"a time column named {wanted!r}" if wanted is not None else f"one time column named {', '.join(TIME_NAMES)}"
    shown = ", ".join([name if name.isprintable() else repr(name) for name in columns[:20]] + ["..."] * (len(columns) > 20))
    raise ValueError(
        f"{path}: {rule} is needed, got {len(found)} among the columns {shown}; "
        f"{'rename one' if not found else 'keep one'}{' (cells are separated by commas)' if len(columns) == 1 else ''}"
    )


def _times(column: pd.Series, path: Path, place: Callable[[int], str]) -> pd.DatetimeIndex:
    if pd.api.types.is_numeric_dtype(column.dtype):
        raise ValueError(
            f"{path}: times must be written like 2024-01-31 13:00, got {column.iloc[0]} in {place(0)}, column {column.name!r}; "
            "write them so"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # no common format: pandas would guess cell by cell
        try:
            parsed = pd.to_datetime(column, errors="coerce", utc=True).dt.as_unit("ns")
        except (UserWarning, ValueError):
            parsed = pd.Series(pd.NaT, column.index, dtype="datetime64[ns, UTC]")
    if (bad := parsed.isna().to_numpy()).any():
        row = int(np.argmax(bad))
        cell = "an empty cell" if pd.isna(column.iloc[row]) else repr(str(column.iloc[row]))
        raise ValueError(
            f"{path}: times must be written alike, as in 2024-01-31 13:00, got {cell} in {place(row)}, column {column.name!r}; "
            "mend that cell"
        )
    times = pd.DatetimeIndex(parsed.dt.tz_localize(None))
    if (late := np.diff(times.to_numpy()) <= np.timedelta64(0)).any():
        row = int(np.argmax(late)) + 1
        kind = "again" if times[row] == times[row - 1] else f"after {times[row - 1]}"
        remedy = "keep one of the two rows" if times[row] == times[row - 1] else "sort the rows by time"
        raise ValueError(f"{path}: times must rise, got {times[row]} {kind} in {place(row)}, column {column.name!r}; {remedy}")
    return times


def _numbers(column: pd.Series, path: Path, place: Callable[[int], str]) -> FloatArray:
    numbers = pd.to_numeric(column, errors="coerce") if column.dtype.kind not in "mM" else pd.Series(np.nan, column.index)
    bad = (numbers.isna() & column.notna()).to_numpy()
    if bad.any():
        row = int(np.argmax(bad))
        raise ValueError(
            f"{path}: every column but the time must hold numbers, got {str(column.iloc[row])!r} in {place(row)}, "
            f"column {column.name!r}; mend that cell or remove the column"
        )
    return numbers.to_numpy(dtype=np.float64, na_value=np.nan)


def _filled(
    values: FloatArray, observed: BoolArray, channels: list[str], path: Path, place: Callable[[int], str], fill: str | None
) -> FloatArray:
    if fill is None:
        row, column = (int(i) for i in np.argwhere(~observed)[0])
        raise ValueError(
            f"{path}: values must not be missing, got {int((~observed).sum())} empty or not finite, the first in {place(row)}, "
            f"column {channels[column]!r}; use --fill forward, linear or zero"
        )
    if not observed.any(axis=0).all():
        channel = channels[int(np.argmin(observed.any(axis=0)))]
        raise ValueError(f"{path}: a column needs one value at least to be filled, got none in column {channel!r}; remove it")
    frame = pd.DataFrame(np.where(observed, values, np.nan))
    if fill == "forward":
        return frame.ffill().bfill().to_numpy()
    return (frame.fillna(0.0) if fill == "zero" else frame.interpolate(limit_direction="both")).to_numpy()
