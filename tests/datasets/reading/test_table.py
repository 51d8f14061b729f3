from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.config import Columns
from datasets.reading.table import TIME_NAMES, read_table

LINES = ["date,a,b", *(f"2024-01-01 {hour:02d}:00,{hour}.5,{hour}" for hour in range(12))]


def _with(line: int, text: str) -> list[str]:
    """The lines, with another text in one (the header is line 1)."""
    return [*LINES[: line - 1], text, *LINES[line:]]


def _without(*lines: int) -> list[str]:
    return [text for number, text in enumerate(LINES, start=1) if number not in lines]


def _write(folder: Path, lines: list[str], name: str = "table.csv") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_table_becomes_a_panel_of_one_series(tmp_path: Path) -> None:
    panel = read_table(_write(tmp_path, LINES))
    assert (panel.series, panel.channels, panel.frequency) == (("table",), ("a", "b"), "h")
    assert panel.start_times.tolist() == np.array(["2024-01-01"], "datetime64[ns]").tolist()
    np.testing.assert_array_equal(panel.values, np.stack([np.arange(12) + 0.5, np.arange(12)], axis=1))
    assert panel.offsets.tolist() == [0, 12]
    assert panel.observed.all()


@pytest.mark.parametrize("name", [*TIME_NAMES, "Date", "TIMESTAMP"])
def test_the_time_column_is_found_by_its_name(tmp_path: Path, name: str) -> None:
    assert read_table(_write(tmp_path, _with(1, f"{name},a,b"))).channels == ("a", "b")


def test_the_time_column_may_be_named_and_stand_anywhere(tmp_path: Path) -> None:
    lines = ["a,when", *(f"{i},2024-01-{i:02d}" for i in range(1, 9))]
    panel = read_table(_write(tmp_path, lines), Columns(time="when"))
    assert (panel.channels, panel.frequency) == (("a",), "D")


def test_csv_gz_and_parquet_equal_csv(tmp_path: Path) -> None:
    plain = _write(tmp_path, LINES)
    frame = pd.read_csv(plain, parse_dates=["date"])
    frame.to_parquet(tmp_path / "table.parquet")
    frame.set_index("date").to_parquet(tmp_path / "indexed.parquet")
    (tmp_path / "table.csv.gz").write_bytes(gzip.compress(plain.read_bytes()))
    expected = read_table(plain)
    for name in ("table.csv.gz", "table.parquet", "indexed.parquet"):
        panel = read_table(tmp_path / name)
        np.testing.assert_array_equal(panel.values, expected.values)
        assert panel.start_times == expected.start_times
        assert (panel.channels, panel.frequency) == (expected.channels, expected.frequency)


def test_times_with_an_offset_become_utc_so_that_summer_time_leaves_no_gap(tmp_path: Path) -> None:
    hours = ["2024-03-31T00:00+01:00", "2024-03-31T01:00+01:00", "2024-03-31T03:00+02:00", "2024-03-31T04:00+02:00"]
    panel = read_table(_write(tmp_path, ["time,a", *(f"{hour},1" for hour in hours)]))
    assert panel.start_times[0] == np.datetime64("2024-03-30T23:00")
    assert panel.frequency == "h"


@pytest.mark.parametrize(
    ("days", "frequency"),
    [
        (["2024-03-29T00:00+01:00", "2024-03-30T00:00+01:00", "2024-03-31T00:00+01:00", "2024-04-01T00:00+02:00"], "D"),
        (
            ["2024-01-01 06:00:00+0100", "2024-02-01 06:00:00+0100", "2024-03-01 06:00:00+0100", "2024-04-01 06:00:00+0200"],
            "MS",
        ),
    ],
)
def test_whole_days_with_an_offset_keep_their_hour_through_summer_time(tmp_path: Path, days: list[str], frequency: str) -> None:
    panel = read_table(_write(tmp_path, ["time,a", *(f"{day},1" for day in days)]))
    assert (str(panel.start_times[0])[:16], panel.frequency) == (days[0][:16].replace(" ", "T"), frequency)


@pytest.mark.parametrize("form", ["%Y/%m/%d", "%Y-%m-%dT%H", "%Y-%m-%d %H:%M:%S.%f", "%Y%m%dT%H%M"])
def test_times_with_the_year_first_are_read_in_many_forms(tmp_path: Path, form: str) -> None:
    days = pd.date_range("2024-01-02", periods=5).strftime(form)
    panel = read_table(_write(tmp_path, ["time,a", *(f"{day},1" for day in days)]))
    assert (panel.start_times[0], panel.frequency) == (np.datetime64("2024-01-02"), "D")


@pytest.mark.parametrize("text", ["\ufeff" + "\n".join(LINES), "\r\n".join(LINES), "\n".join([*LINES, "", "", ""])])
def test_a_mark_at_the_start_windows_line_ends_and_blank_lines_do_no_harm(tmp_path: Path, text: str) -> None:
    (tmp_path / "table.csv").write_bytes(text.encode())
    assert read_table(tmp_path / "table.csv").values.shape == (12, 2)


def test_blank_lines_are_counted_in_what_errors_say(tmp_path: Path) -> None:
    lines = _with(8, "2024-01-01 06:00,x,6")
    with pytest.raises(ValueError, match="in line 9, column 'a'"):
        read_table(_write(tmp_path, [*lines[:3], "", *lines[3:]]))


BAD_TEXTS: dict[str, tuple[list[str], str]] = {
    "no time column": (_with(1, "when,a,b"), r"got 0 among the columns when, a, b; rename one"),
    "two time columns": (_with(1, "date,time,b"), r"got 2 among the columns date, time, b; keep one"),
    "semicolons": ([line.replace(",", ";") for line in LINES], r"columns date;a;b; .*separated by commas"),
    "no channel": (["date", "2024-01-01"], r"column of numbers is needed beside 'date', got none"),
    "unparsable time": (_with(6, "yesterday,1,2"), r"got 'yesterday' in line 6, column 'date'"),
    "unparsable first time": (_with(2, "yesterday,1,2"), r"got 'yesterday' in line 2, column 'date'"),
    "empty time": (_with(6, ",1,2"), r"got an empty cell in line 6, column 'date'"),
    "numbers for times": (["date,a", "20240101,1", "20240102,1"], r"got 20240101 in line 2, column 'date'"),
    "time out of range": (["date,a", "2999-01-01,1", "2999-01-02,1"], r"got '2999-01-01' in line 2"),
    "day before month in days of one month": (["date,a", *(f"{d:02d}.01.2024,1" for d in range(1, 9))], r"year first.*line 2"),
    "a word that pandas knows": (_with(6, "now,1,2"), r"got 'now' in line 6"),
    "a single offset": (
        _with(6, "2024-01-01 04:00Z,1,2"),
        r"with an offset like \+01:00 or none, got '2024-01-01 04:00Z' in line 6",
    ),
    "two orders of day and month": (["date,a", *(f"{d:02d}/01/2024,1" for d in range(1, 20))], r"got '01/01/2024' in line 2"),
    "unsorted": (_with(6, LINES[7]), r"got 2024-01-01 05:00:00 after 2024-01-01 06:00:00 in line 7.*sort the rows"),
    "duplicate time": (_with(6, LINES[4]), r"got 2024-01-01 03:00:00 again in line 6.*keep one"),
    "gap": (_without(6, 7, 10), r"none for 2024-01-01 04:00:00 after line 5 \(3 missing, gaps: 2, step: h\).*--fill"),
    "uneven": (_with(6, "2024-01-01 04:07,1,2"), r"got 0 days 01:07:00 after line 5 where 0 days 01:00:00 is usual; resample"),
    "text in a number's place": (_with(6, "2024-01-01 04:00,1,calm"), r"got 'calm' in line 6, column 'b'"),
    "decimal comma": (_with(6, '2024-01-01 04:00,"1,5",2'), r"got '1,5' in line 6, column 'a'"),
    "a cell too many": (_with(6, "2024-01-01 04:00,1,2,3"), r"as many cells as the header, got: .*line 6"),
    "a cell too many everywhere": ([LINES[0], *(line + ",9" for line in LINES[1:])], r"as many cells as the header"),
    "a column without name": ([f"{i}," + line if i else "," + line for i, line in enumerate(LINES)], r"no name in column 1"),
    "one name twice": (_with(1, "date,a,a"), r"got 'a' again in column 3"),
    "no rows": (LINES[:1], r"rows are needed below the header, got none"),
    "two rows": (LINES[:3], r"3 rows are needed .*got 2"),
    "empty file": ([""], r"a header in line 1 and rows are needed"),
}


@pytest.mark.parametrize(("lines", "words"), BAD_TEXTS.values(), ids=BAD_TEXTS)
def test_a_bad_csv_is_one_line_that_names_file_place_and_way_out(tmp_path: Path, lines: list[str], words: str) -> None:
    path = _write(tmp_path, lines)
    with pytest.raises(ValueError, match=words) as error:
        read_table(path)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


def _nothing(path: Path) -> None:
    """No file at all."""


BAD_FILES: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "missing": ("t.csv", _nothing, "there is no such file"),
    "folder": ("t.csv", Path.mkdir, "a folder is no table"),
    "other kind": ("t.xlsx", lambda path: path.write_bytes(b"PK"), "got '.xlsx'"),
    "bytes": ("t.csv", lambda path: path.write_bytes(bytes(range(256)) * 4), "must be a sound csv"),
    "not gzip": ("t.csv.gz", lambda path: path.write_bytes(b"date,a"), "must be a sound csv.gz"),
    "half gzip": (
        "t.csv.gz",
        lambda path: path.write_bytes(gzip.compress("\n".join(LINES).encode())[:60]),
        "must be a sound csv.gz",
    ),
    "not parquet": ("t.parquet", lambda path: path.write_bytes(b"date,a"), "must be a sound parquet"),
}


@pytest.mark.parametrize(("name", "make", "words"), BAD_FILES.values(), ids=BAD_FILES)
def test_a_file_that_is_no_table_is_one_line_that_names_it(
    tmp_path: Path, name: str, make: Callable[[Path], object], words: str
) -> None:
    make(tmp_path / name)
    with pytest.raises(ValueError, match=words) as error:
        read_table(tmp_path / name)
    assert str(error.value).startswith(f"{tmp_path / name}: ")
    assert "\n" not in str(error.value)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode), st.sampled_from([".csv", ".csv.gz", ".parquet"]))
def test_no_junk_gets_past_with_another_error(tmp_path_factory: pytest.TempPathFactory, junk: bytes, suffix: str) -> None:
    path = tmp_path_factory.getbasetemp() / f"junk{suffix}"
    path.write_bytes(junk)
    with pytest.raises(ValueError, match="junk") as error:
        read_table(path)
    assert str(error.value).startswith(f"{path}: ")
    assert len(str(error.value).splitlines()) == 1


def test_a_bad_parquet_names_the_row(tmp_path: Path) -> None:
    frame = pd.DataFrame({"date": pd.date_range("2024-01-01", periods=5), "a": ["1", "2", "x", "4", "5"]})
    frame.to_parquet(tmp_path / "t.parquet")
    with pytest.raises(ValueError, match="got 'x' in row 3, column 'a'"):
        read_table(tmp_path / "t.parquet")


@pytest.mark.parametrize("cell", ["", "NaN", "NA", "inf"])
def test_a_value_that_is_missing_or_not_finite_is_nan_marked_and_counted(tmp_path: Path, cell: str) -> None:
    panel = read_table(_write(tmp_path, _with(6, f"2024-01-01 04:00,{cell},2")))
    assert np.argwhere(np.isnan(panel.values)).tolist() == np.argwhere(~panel.observed).tolist() == [[4, 0]]
    assert panel.n_missing == 1


LONG = Columns(series_id="id")
LONG_LINES = [
    "id,date,y,x",
    *(f"b,2024-01-{day:02d},{day},{day}.5" for day in range(1, 7)),
    *(f"a,2024-01-{day:02d},{10 * day},1" for day in range(3, 7)),
]


def test_a_long_table_becomes_series_of_their_own_length_and_start_in_order_of_appearance(tmp_path: Path) -> None:
    panel = read_table(_write(tmp_path, LONG_LINES), LONG)
    assert (panel.series, panel.channels, panel.frequency) == (("b", "a"), ("y", "x"), "D")
    assert panel.lengths.tolist() == [6, 4]
    assert panel.values[:, 0].tolist() == [1, 2, 3, 4, 5, 6, 30, 40, 50, 60]
    assert panel.start_times.tolist() == np.array(["2024-01-01", "2024-01-03"], "datetime64[ns]").tolist()


def test_rows_of_series_may_stand_apart(tmp_path: Path) -> None:
    mixed = [LONG_LINES[0], *sorted(LONG_LINES[1:], key=lambda line: line.split(",")[1])]
    together, apart = (read_table(_write(tmp_path, lines), LONG) for lines in (LONG_LINES, mixed))
    np.testing.assert_array_equal(apart.values, together.values)
    assert apart.series == together.series


@pytest.mark.parametrize("name", ["NA", "007", "1.0"])
def test_the_name_of_a_series_is_taken_as_written(tmp_path: Path, name: str) -> None:
    lines = [line.replace("b,", f"{name},", 1) for line in LONG_LINES]
    assert read_table(_write(tmp_path, lines), LONG).series == (name, "a")


def test_a_long_parquet_equals_its_csv(tmp_path: Path) -> None:
    path = _write(tmp_path, LONG_LINES)
    pd.read_csv(path, parse_dates=["date"]).to_parquet(tmp_path / "t.parquet")
    panel, expected = read_table(tmp_path / "t.parquet", LONG), read_table(path, LONG)
    np.testing.assert_array_equal(panel.values, expected.values)
    assert (panel.series, panel.frequency) == (expected.series, expected.frequency)


@pytest.mark.parametrize("names", [["id"], ["date"], ["id", "date"]])
def test_an_index_of_a_parquet_is_columns_like_others(tmp_path: Path, names: list[str]) -> None:
    path = _write(tmp_path, LONG_LINES)
    pd.read_csv(path, parse_dates=["date"]).set_index(names).to_parquet(tmp_path / "t.parquet")
    np.testing.assert_array_equal(read_table(tmp_path / "t.parquet", LONG).values, read_table(path, LONG).values)


def test_periods_of_a_parquet_are_times(tmp_path: Path) -> None:
    quarters = pd.period_range("2024-01", periods=5, freq="Q")
    pd.DataFrame({"date": quarters, "a": 1.0}).to_parquet(tmp_path / "t.parquet")
    panel = read_table(tmp_path / "t.parquet")
    assert (panel.start_times[0], panel.frequency) == (np.datetime64("2024-01-01"), "QS-OCT")


def test_lists_in_a_static_column_are_one_line_that_names_the_row(tmp_path: Path) -> None:
    frame = pd.DataFrame({"date": pd.date_range("2024-01-01", periods=5), "a": 1.0, "k": [[1, 2]] * 5})
    frame.to_parquet(tmp_path / "t.parquet")
    with pytest.raises(ValueError, match="a cell must hold one value, got ndarray in row 1, column 'k'"):
        read_table(tmp_path / "t.parquet", Columns(static=("k",)))


def test_a_series_of_one_row_takes_the_frequency_of_the_others(tmp_path: Path) -> None:
    assert read_table(_write(tmp_path, LONG_LINES[:8]), LONG).lengths.tolist() == [6, 1]


def test_a_week_of_workdays_fits_among_longer_series_of_workdays(tmp_path: Path) -> None:
    days = pd.bdate_range("2024-01-01", periods=15).strftime("%Y-%m-%d")
    lines = ["id,date,y", *(f"a,{day},1" for day in days), *(f"b,{day},1" for day in days[:5])]
    assert read_table(_write(tmp_path, lines), LONG).frequency == "B"


def _long_with(line: int, text: str) -> list[str]:
    return [*LONG_LINES[: line - 1], text, *LONG_LINES[line:]]


def _long_of(starts: dict[str, tuple[str, str, int]]) -> list[str]:
    """Rows of series by name: (first day, frequency, rows)."""
    spans = {name: pd.date_range(day, periods=n, freq=step) for name, (day, step, n) in starts.items()}
    return ["id,date,y", *(f"{name},{time},1" for name, times in spans.items() for time in times)]


BAD_LONG: dict[str, tuple[list[str], str]] = {
    "no id": (_long_with(4, ",2024-01-03,3,1"), r"got an empty cell in line 4, column 'id'"),
    "unsorted": (
        _long_with(10, "a,2024-01-02,1,1"),
        r"2024-01-02 00:00:00 after 2024-01-04 .*line 10 \(series 'a'\), .*; sort the rows",
    ),
    "duplicate time": (_long_with(10, "a,2024-01-04,1,1"), r"2024-01-04 00:00:00 again in line 10 \(series 'a'\).*; keep one"),
    "gap in the longest": (
        [line for line in LONG_LINES if "b,2024-01-03" not in line],
        r"none for 2024-01-03 00:00:00 after line 3 \(series 'b'\) \(1 missing",
    ),
    "gap in another": (
        [line for line in LONG_LINES if "a,2024-01-05" not in line] + ["a,2024-01-07,1,1"],
        r"none for 2024-01-05 00:00:00 after line 9 \(series 'a'\) \(1 missing",
    ),
    "gap in a short one": ([*LONG_LINES[:8], "a,2024-01-09,1,1"], r"got a step of 6 days .*line 9 \(series 'a'\) where D is"),
    "two frequencies": (
        _long_of({"a": ("2024-01-01", "D", 9), "b": ("2024-01-01", "h", 5)}),
        r"got h from 2024-01-01 00:00:00 on in line 12 \(series 'b'\) where D is the step of series 'a'",
    ),
    "two days of the week": (
        _long_of({"a": ("2024-01-01", "W-MON", 9), "b": ("2024-01-02", "W-TUE", 5)}),
        r"got W-TUE .*line 11 \(series 'b'\) where W-MON is",
    ),
    "a single row off the calendar": (
        _long_of({"a": ("2024-01-01", "MS", 9), "b": ("2024-01-15", "D", 1)}),
        r"got a row at 2024-01-15 00:00:00 in line 11 \(series 'b'\) where MS is",
    ),
    "text": (_long_with(9, "a,2024-01-04,calm,1"), r"got 'calm' in line 9 \(series 'a'\), column 'y'"),
}


@pytest.mark.parametrize(("lines", "words"), BAD_LONG.values(), ids=BAD_LONG)
def test_a_bad_long_table_is_one_line_that_names_file_line_and_series(tmp_path: Path, lines: list[str], words: str) -> None:
    path = _write(tmp_path, lines)
    with pytest.raises(ValueError, match=words) as error:
        read_table(path, LONG)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


def test_many_series_without_a_series_id_are_an_error_that_names_the_option(tmp_path: Path) -> None:
    lines = [line.split(",", 1)[1] for line in _long_of({"a": ("2024-01-01", "D", 5), "b": ("2024-01-01", "D", 5)})]
    with pytest.raises(ValueError, match="use --series-id if the table holds many series"):
        read_table(_write(tmp_path, lines))
