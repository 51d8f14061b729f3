"""The .tsf files of the Monash archive to a ``Panel`` with one channel, ``value``.

Godahewa et al., "Monash Time Series Forecasting Archive", NeurIPS 2021 Datasets and Benchmarks: a header of ``@`` lines, then
one line a series: its attributes, each ended by a colon, and its values with commas between.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from datasets.base import FloatArray, Panel
from datasets.config import Columns
from datasets.reading.assign import ALL_TARGETS, Source, assign, unknown_column
from datasets.reading.frequency import normalise, seconds_of

_NAME, _START, _CHANNEL = "series_name", "start_timestamp", "value"
_TYPES = ("string", "numeric", "date")
_TAGS = ("relation", "attribute", "frequency", "horizon", "missing", "equallength", "data")
_WORDS = {
    **{"secondly": "s", "minutely": "min", "half_hourly": "30min", "hourly": "h", "daily": "D", "weekly": "W"},
    **{"monthly": "MS", "quarterly": "QS", "yearly": "YS"},
}
_UNITS = {"second": "s", "minute": "min", "hour": "h", "day": "D", "week": "W", "month": "MS", "quarter": "QS", "year": "YS"}
_DAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")


@dataclass(kw_only=True)
class _Header:
    """What the ``@`` lines say."""

    attributes: dict[str, str] = field(default_factory=dict)
    frequency: str = ""
    """As written."""
    frequency_line: int = 0
    horizon: int | None = None


def read_tsf(path: Path, columns: Columns = ALL_TARGETS) -> Panel:
    """Reads a .tsf file. Missing values, written ``?`` or NaN, stay NaN.

    Lines are utf-8, those that are not are cp1252. The header may have any order, and comments (#) and blank lines may stand
    anywhere. What ``@missing`` and ``@equallength`` promise is not relied on.

    A series is named by its attribute ``series_name`` (or ``columns.series_id``), without one series_1, series_2 ... It starts
    at its attribute ``start_timestamp`` (or ``columns.time``), like 2010-07-01 00-30-00, with or without the time of day;
    without one at 1970-01-01. All series keep one frequency. Where ``@frequency`` does not say on which day a week or in which
    month a quarter or a year begins, most starts say it (of equals the earliest day or month); months, quarters and years that
    all start on the last day of a month are taken by their ends. A series that starts between such steps is moved: to the next
    day of the week, to the first or, by their ends, the last day of its month, quarter or year.

    Args:
        path: The file.
        columns: Its attributes may be static: words if they are strings or dates, numbers if numeric. The target is ``value``.

    Raises:
        ValueError, LookupError: what is wrong, in which file and line, and the way out.
    """
    header, lines = _open(path)
    names = list(header.attributes)
    name, start = columns.series_id, columns.time
    for wanted in (name, start):
        if wanted is not None and wanted not in names:
            raise unknown_column(str(path), wanted, names)
    name = name if name is not None else _NAME if _NAME in names else None
    start = start if start is not None else _START if _START in names else None

    cells: list[list[str]] = []
    values: list[FloatArray] = []
    numbers: list[int] = []
    for number, line in lines:
        *attributes, series = line.split(":", len(names))
        if len(attributes) != len(names):
            raise ValueError(
                f"{path}: a series needs {len(names)} attributes ({', '.join(names)}) and its values, with colons between, got "
                f"{len(attributes) + 1} parts in line {number}; mend that line"
            )
        cells.append([cell.strip() for cell in attributes])
        values.append(_values(series, path, number))
        numbers.append(number)
    if not values:
        raise ValueError(f"{path}: series are needed below @data, got none; is this the right file?")

    table = pd.DataFrame(cells, columns=names, dtype=object)
    series_names = tuple(f"series_{i}" for i in range(1, len(values) + 1)) if name is None else tuple(table[name])
    _check_names(series_names, path, numbers)
    lengths = np.array([len(series) for series in values], dtype=np.int64)
    starts = _starts(table, start, path, numbers)
    frequency, starts = _on_calendar(_frequency(header, path), starts)
    _check_ends(starts, lengths, frequency, path, numbers)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return assign(
        Source(
            where=str(path),
            rows=pd.DataFrame({_CHANNEL: np.concatenate(values)}, copy=False),
            per_series=_typed(table.drop(columns=[] if start is None else [start]), header, path, numbers),
            offsets=offsets,
            start_times=starts.to_numpy().astype("datetime64[ns]"),
            frequency=frequency,
            series=series_names,
            time=start,
            place=lambda row: f"line {numbers[int(np.searchsorted(offsets, row, side='right')) - 1]}",
        ),
        columns,
    )


def tsf_horizon(path: Path) -> int | None:
    """The horizon that the header names, if it names one. Reads the header only.

    Raises:
        ValueError: the header is broken.
    """
    return _open(path)[0].horizon


def _open(path: Path) -> tuple[_Header, Iterator[tuple[int, str]]]:
    """The header, and the numbered lines after it that hold a series."""
    if not path.is_file():
        raise ValueError(f"{path}: {'a folder is no data file' if path.is_dir() else 'there is no such file'}; check the path")
    lines = _lines(path)
    return _header(path, lines), lines


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines that say something, with their numbers."""
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            try:
                line = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip()
            except UnicodeDecodeError:
                line = raw.decode("cp1252", errors="replace").strip()
            if line and not line.startswith("#"):
                yield number, line


def _header(path: Path, lines: Iterator[tuple[int, str]]) -> _Header:
    header, seen = _Header(), set()
    for number, line in lines:
        tag, *rest = line.split(maxsplit=1)
        tag, text = tag.lower().removeprefix("@"), rest[0].strip() if rest else ""

        def broken(rule: str, got: str, number: int = number) -> ValueError:
            shown = got if len(got) <= 40 else got[:40] + "..."
            return ValueError(f"{path}: {rule}, got {shown!r} in line {number}; mend that line")

        if not line.startswith("@") or tag not in _TAGS:
            raise broken(f"lines before @data are {', '.join('@' + tag for tag in _TAGS)} or comments (#)", line)
        if tag == "data":
            return header
        if tag in seen and tag != "attribute":
            raise broken(f"@{tag} must stand once", line)
        seen.add(tag)
        if not text and tag != "relation":
            raise broken(f"@{tag} needs a value", line)
        if tag == "attribute":
            *name, kind = text.rsplit(maxsplit=1)
            if not name or kind.lower() not in _TYPES:
                raise broken(f"an attribute is its name and {', '.join(_TYPES[:-1])} or {_TYPES[-1]}", text)
            if name[0] in header.attributes or name[0] == _CHANNEL:
                raise broken(f"an attribute needs a name of its own, and not {_CHANNEL!r}", name[0])
            header.attributes[name[0]] = kind.lower()
        elif tag == "frequency":
            header.frequency, header.frequency_line = text, number
        elif tag == "horizon":
            if not text.isdecimal() or int(text) < 1:
                raise broken("@horizon must be a whole number, 1 or more", text)
            header.horizon = int(text)
        elif tag in ("missing", "equallength") and text.lower() not in ("true", "false"):
            raise broken(f"@{tag} must be true or false", text)
    raise ValueError(f"{path}: a line @data is needed between the header and the series, got none; is this a .tsf file?")


def _values(text: str, path: Path, number: int) -> FloatArray:
    try:
        return _numbers(text)
    except pa.ArrowInvalid:
        cells = text.split(",")
        place, bad = next((place, cell) for place, cell in enumerate(cells, start=1) if not _is_number(cell))
        raise ValueError(
            f"{path}: values must be numbers or ?, with commas between, got {bad.strip()[:40]!r} as value {place} in line "
            f"{number}; mend that line"
        ) from None


def _numbers(text: str) -> FloatArray:
    cells = pc.utf8_trim_whitespace(pc.split_pattern(pa.scalar(text), ",").values)
    if "?" in text:
        cells = pc.if_else(pc.equal(cells, "?"), "nan", cells)
    numbers: FloatArray = pc.cast(cells, pa.float64()).to_numpy()
    return numbers


def _is_number(cell: str) -> bool:
    try:
        _numbers(cell)
    except pa.ArrowInvalid:
        return False
    return True


def _check_names(series: tuple[str, ...], path: Path, numbers: list[int]) -> None:
    first: dict[str, int] = {}
    for name, number in zip(series, numbers, strict=True):
        if not name:
            raise ValueError(f"{path}: a series needs a name, got none in line {number}; give it one")
        if name in first:
            places = f"line {first[name]} and line {number}"
            raise ValueError(f"{path}: a series must stand once, got {name!r} in {places}; keep one or rename it")
        first[name] = number


def _starts(table: pd.DataFrame, start: str | None, path: Path, numbers: list[int]) -> pd.DatetimeIndex:
    if start is None:
        return pd.DatetimeIndex(["1970-01-01"] * len(table)).as_unit("ns")
    times = pd.to_datetime(table[start], format="%Y-%m-%d %H-%M-%S", errors="coerce")
    times = times.fillna(pd.to_datetime(table[start], format="%Y-%m-%d", errors="coerce"))
    # Times that nanoseconds cannot count from 1677 to 2262 are not understood either.
    bad = (times.isna() | (times.dt.year < 1678) | (times.dt.year > 2261)).to_numpy()
    if bad.any():
        i = int(np.argmax(bad))
        raise ValueError(
            f"{path}: a series starts at a time like 2010-07-01 00-30-00, from 1678 to 2261, got {table[start][i]!r} in line "
            f"{numbers[i]}, attribute {start!r}; mend that line"
        )
    return pd.DatetimeIndex(times).as_unit("ns")


def _frequency(header: _Header, path: Path) -> str:
    """A pandas alias; for weeks, quarters and years perhaps without the day or month on which they begin."""
    word = header.frequency.lower().replace(" ", "_")
    if word in _WORDS:
        return _WORDS[word]
    match = re.fullmatch(r"([1-9]\d*)_(second|minute|hour|day|week|month|quarter|year)s?", word)
    if match:
        return normalise(match[1] + _UNITS[match[2]])
    try:
        return normalise(header.frequency)
    except ValueError:
        got = f"{header.frequency!r} in line {header.frequency_line}" if header.frequency_line else "none"
        raise ValueError(
            f"{path}: @frequency must be one of {', '.join(_WORDS)}, a number of units like 10_minutes, or a pandas alias, "
            f"got {got}; write it so"
        ) from None


def _on_calendar(alias: str, starts: pd.DatetimeIndex) -> tuple[str, pd.DatetimeIndex]:
    """The frequency with its day or month, and the starts moved onto its calendar."""
    number, name, anchor = re.fullmatch(r"(\d*)([A-Za-z]+)(-.+)?", alias).groups(default="")  # type: ignore[union-attr]
    if name in ("s", "min", "h", "D"):
        return alias, starts
    if name in ("MS", "QS", "YS") and not anchor and starts.is_month_end.all():
        name = name[0] + "E"
    if not anchor and name == "W":
        anchor = "-" + _DAYS[_most(starts.dayofweek)]
    elif not anchor and name[0] == "Q":
        anchor = "-" + _MONTHS[9 + _most((starts.month - 1) % 3)]
    elif not anchor and name[0] == "Y":
        anchor = "-" + _MONTHS[_most(starts.month - 1)]
    offset = pd.tseries.frequencies.to_offset(name + anchor)
    roll = offset.rollback if name.endswith("S") else offset.rollforward
    moved = {start: roll(start) for start in starts.unique()}
    return f"{number}{name}{anchor}", pd.DatetimeIndex([moved[start] for start in starts]).as_unit("ns")


def _most(numbers: pd.Index) -> int:
    return int(np.argmax(np.bincount(np.asarray(numbers))))


def _check_ends(
    starts: pd.DatetimeIndex, lengths: npt.NDArray[np.int64], frequency: str, path: Path, numbers: list[int]
) -> None:
    years = starts.year + lengths * seconds_of(frequency) / seconds_of("YS")
    if (late := np.asarray(years > 2261)).any():
        i = int(np.argmax(late))
        raise ValueError(
            f"{path}: times must lie before 2262, got {lengths[i]} steps of {frequency} from {starts[i]} on in line "
            f"{numbers[i]}; shorten the series or let it start earlier"
        )


def _typed(table: pd.DataFrame, header: _Header, path: Path, numbers: list[int]) -> pd.DataFrame:
    """Numeric attributes as numbers; what is empty or ? as missing."""
    table = table.replace({"": None, "?": None})
    for name in [name for name, kind in header.attributes.items() if kind == "numeric" and name in table]:
        column = pd.to_numeric(table[name], errors="coerce")
        if (bad := (column.isna() & table[name].notna()).to_numpy()).any():
            i = int(np.argmax(bad))
            raise ValueError(
                f"{path}: attribute {name!r} must be a number, got {table[name][i]!r} in line {numbers[i]}; mend that line"
            )
        table[name] = column.astype(np.float64)
    return table
