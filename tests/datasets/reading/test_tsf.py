from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.config import Columns
from datasets.reading.tsf import read_tsf, tsf_horizon

SAMPLE = Path(__file__).parents[4] / "shared" / "data" / "sample.tsf"
HEADER = [
    "# Of shops.",
    "@relation shops",
    "@attribute series_name string",
    "@attribute start_timestamp date",
    "@attribute town string",
    "@attribute size numeric",
    "@frequency daily",
    "@horizon 7",
    "@missing true",
    "@equallength false",
    "@data",
]
ROWS = ["T1:2024-01-01 00-00-00:Rome:3.5:1,2.5,?", "T2:2024-01-03 00-00-00:Bari:4:NaN,-7e-1"]
LINES = [*HEADER, *ROWS]


def _write(folder: Path, lines: Sequence[str], encoding: str = "utf-8") -> Path:
    path = folder / "shops.tsf"
    path.write_bytes("\n".join([*lines, ""]).encode(encoding))
    return path


def _with(line: int, text: str) -> list[str]:
    """The lines, with another text in one."""
    return [*LINES[: line - 1], text, *LINES[line:]]


def _weekly(frequency: str, *starts: str) -> list[str]:
    head = ["@attribute series_name string", "@attribute start_timestamp date", f"@frequency {frequency}", "@data"]
    return [*head, *(f"s{i}:{start}:1,2,3" for i, start in enumerate(starts))]


def test_a_file_becomes_a_panel_with_one_channel(tmp_path: Path) -> None:
    panel = read_tsf(_write(tmp_path, LINES))
    assert (panel.series, panel.channels, panel.frequency) == (("T1", "T2"), ("value",), "D")
    np.testing.assert_array_equal(panel.values[:, 0], [1, 2.5, np.nan, np.nan, -0.7])
    assert panel.offsets.tolist() == [0, 3, 5]
    assert panel.observed[:, 0].tolist() == [True, True, False, False, True]
    assert panel.n_missing == 2
    assert panel.start_times.tolist() == np.array(["2024-01-01", "2024-01-03"], "datetime64[ns]").tolist()


def test_the_sample_of_the_archive_is_read_whole() -> None:
    if not SAMPLE.is_file():
        pytest.skip(f"{SAMPLE} is not there")
    panel = read_tsf(SAMPLE)
    assert (len(panel.series), set(panel.lengths.tolist())) == (299, {156})
    assert (panel.frequency, panel.n_missing, tsf_horizon(SAMPLE)) == ("W-THU", 0, 8)
    assert set(panel.start_times.tolist()) == set(np.array(["2010-07-01T00:30"], "datetime64[ns]").tolist())
    assert (panel.series[0], panel.values[0, 0], panel.values[-1, 0]) == ("T1", 207.06, 199.451)


@given(order=st.permutations(HEADER[:2] + HEADER[6:10]))
def test_the_order_of_the_header_does_not_matter(tmp_path_factory: pytest.TempPathFactory, order: list[str]) -> None:
    path = _write(tmp_path_factory.getbasetemp(), [*order, *HEADER[2:6], "@data", *ROWS])
    panel = read_tsf(path)
    assert (panel.series, panel.frequency, tsf_horizon(path)) == (("T1", "T2"), "D", 7)


def test_comments_blank_lines_windows_line_ends_capitals_and_spaces_do_no_harm(tmp_path: Path) -> None:
    lines = ["\ufeff# x", "", *(line.replace("@frequency ", "@Frequency   ") for line in HEADER)]
    lines = [*lines, "# y", f"  {ROWS[0]}\r", "", ROWS[1]]
    np.testing.assert_array_equal(read_tsf(_write(tmp_path, lines)).values, read_tsf(_write(tmp_path, LINES)).values)


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_text_is_utf_8_or_else_cp1252(tmp_path: Path, encoding: str) -> None:
    lines = _with(12, "Café:2024-01-01:Malmö:1:1,2")
    panel = read_tsf(_write(tmp_path, lines, encoding), Columns(static=("town",)))
    assert (panel.series[0], panel.categories) == ("Café", (("Bari", "Malmö"),))


FREQUENCIES = {
    **{"secondly": "s", "4_seconds": "4s", "minutely": "min", "10_minutes": "10min", "half_hourly": "30min", "hourly": "h"},
    **{"daily": "D", "weekly": "W-MON", "monthly": "MS", "quarterly": "QS-OCT", "yearly": "YS-JAN", "Weekly": "W-MON"},
    **{"H": "h", "h": "h", "15T": "15min", "15min": "15min", "S": "s", "M": "ME", "MS": "MS", "W": "W-MON", "W-SUN": "W-SUN"},
    **{"Q-NOV": "QE-NOV", "QS-OCT": "QS-OCT", "AS-JAN": "YS-JAN", "A-DEC": "YE-DEC", "2_weeks": "2W-MON", "B": "B"},
}


@pytest.mark.parametrize(("word", "frequency"), FREQUENCIES.items())
def test_every_word_and_alias_of_a_frequency_gets_the_spelling_of_today(tmp_path: Path, word: str, frequency: str) -> None:
    assert read_tsf(_write(tmp_path, _weekly(word, "2024-01-01 00-00-00"))).frequency == frequency


MOVED = {
    "weeks begin on the day of most starts": (
        ("weekly", "2024-01-04 00-30-00", "2024-01-02 00-30-00", "2024-01-11 00-30-00"),
        ("W-THU", ["2024-01-04T00:30", "2024-01-04T00:30", "2024-01-11T00:30"]),
    ),
    "an alias keeps its day": (("W-SUN", "2024-01-04", "2024-01-07"), ("W-SUN", ["2024-01-07", "2024-01-07"])),
    "months begin on the first": (("monthly", "1965-04-15", "1965-01-31"), ("MS", ["1965-04-01", "1965-01-01"])),
    "months that all start on their last day": (("monthly", "1990-01-31", "1990-02-28"), ("ME", ["1990-01-31", "1990-02-28"])),
    "quarters": (
        ("quarterly", "1990-02-01", "1990-05-01", "1990-06-01"),
        ("QS-NOV", ["1990-02-01", "1990-05-01", "1990-05-01"]),
    ),
    "quarters by their ends": (("quarterly", "1990-03-31", "1991-06-30"), ("QE-DEC", ["1990-03-31", "1991-06-30"])),
    "years": (("yearly", "1990-07-01", "1991-07-01", "1991-01-01"), ("YS-JUL", ["1990-07-01", "1991-07-01", "1990-07-01"])),
    "years by their ends": (("yearly", "1975-12-31", "1976-12-31"), ("YE-DEC", ["1975-12-31", "1976-12-31"])),
    "days and hours stay": (("hourly", "2024-01-04 00-30-00", "2024-01-02"), ("h", ["2024-01-04T00:30", "2024-01-02"])),
}


@pytest.mark.parametrize(("given_", "expected"), MOVED.values(), ids=MOVED)
def test_starts_lie_on_the_calendar_of_the_one_frequency(
    tmp_path: Path, given_: tuple[str, ...], expected: tuple[str, list[str]]
) -> None:
    panel = read_tsf(_write(tmp_path, _weekly(*given_)))
    assert panel.frequency == expected[0]
    assert panel.start_times.tolist() == np.array(expected[1], "datetime64[ns]").tolist()


def test_without_a_start_series_begin_in_1970_and_without_a_name_they_are_counted(tmp_path: Path) -> None:
    panel = read_tsf(_write(tmp_path, ["@frequency monthly", "@data", "1,2", "3"]))
    assert (panel.series, panel.frequency) == (("series_1", "series_2"), "MS")
    assert set(panel.start_times.tolist()) == set(np.array(["1970-01-01"], "datetime64[ns]").tolist())


def test_attributes_can_be_static_by_name_and_are_left_out_else(tmp_path: Path) -> None:
    path = _write(tmp_path, LINES)
    panel = read_tsf(path, Columns(static=("town", "size", "series_name")))
    assert (panel.static_names, panel.static.tolist()) == (("size",), [[3.5], [4.0]])
    assert panel.category_names == ("town", "series_name")
    assert panel.categories == (("Bari", "Rome"), ("T1", "T2"))
    assert panel.static_categories.tolist() == [[1, 0], [0, 1]]
    assert read_tsf(path).static.shape == (2, 0)


def test_another_attribute_may_name_the_series_or_hold_the_start(tmp_path: Path) -> None:
    lines = ["@attribute shop string", "@attribute begin date", "@frequency daily", "@data", "x:2024-02-01:1"]
    panel = read_tsf(_write(tmp_path, lines), Columns(series_id="shop", time="begin"))
    assert (panel.series, panel.start_times[0]) == (("x",), np.datetime64("2024-02-01"))


def test_the_horizon_is_read_from_the_header_alone(tmp_path: Path) -> None:
    assert tsf_horizon(_write(tmp_path, [*HEADER, "nonsense"])) == 7
    assert tsf_horizon(_write(tmp_path, [line for line in LINES if "horizon" not in line])) is None


BAD: dict[str, tuple[list[str], str]] = {
    "no data": (HEADER[:-1], r"a line @data is needed between the header and the series, got none"),
    "empty": ([], r"a line @data is needed"),
    "text in the header": (_with(2, "shops"), r"lines before @data are @relation, .*, got 'shops' in line 2"),
    "unknown tag": (_with(2, "@name shops"), r"got '@name shops' in line 2"),
    "tag twice": (_with(2, "@horizon 3"), r"@horizon must stand once, got '@horizon 7' in line 8"),
    "tag without value": (_with(8, "@horizon"), r"@horizon needs a value, got '@horizon' in line 8"),
    "attribute without type": (_with(5, "@attribute town"), r"an attribute is its name and string, .*got 'town' in line 5"),
    "attribute of no type": (_with(5, "@attribute town text"), r"string, numeric or date, got 'town text' in line 5"),
    "attribute twice": (_with(5, "@attribute size string"), r"a name of its own.*got 'size' in line 6"),
    "attribute like the channel": (_with(5, "@attribute value string"), r"not 'value', got 'value' in line 5"),
    "horizon": (_with(8, "@horizon soon"), r"@horizon must be a whole number, 1 or more, got 'soon' in line 8"),
    "horizon 0": (_with(8, "@horizon 0"), r"got '0' in line 8"),
    "flag": (_with(9, "@missing maybe"), r"@missing must be true or false, got 'maybe' in line 9"),
    "frequency": (_with(7, "@frequency often"), r"@frequency must be one of secondly, .*got 'often' in line 7"),
    "no frequency": (_with(7, ""), r"@frequency must be one of secondly, .*got none"),
    "no series": (HEADER, r"series are needed below @data, got none"),
    "too few parts": (_with(13, "T2:2024-01-03:1,2"), r"a series needs 4 attributes \(series_name, .* got 3 parts in line 13"),
    "too many parts": (_with(13, ROWS[1] + ":1"), r"got '-7e-1:1' as value 2 in line 13"),
    "text in values": (_with(13, "T2:2024-01-03:Bari:4:1,2,calm,4"), r"numbers or \?, .*, got 'calm' as value 3 in line 13"),
    "underscore": (_with(13, "T2:2024-01-03:Bari:4:1_0,2"), r"got '1_0' as value 1 in line 13"),
    "no values": (_with(13, "T2:2024-01-03:Bari:4:"), r"got '' as value 1 in line 13"),
    "comma at the end": (_with(13, "T2:2024-01-03:Bari:4:1,2,"), r"got '' as value 3 in line 13"),
    "duplicate series": (_with(13, ROWS[1].replace("T2", "T1")), r"must stand once, got 'T1' in line 12 and line 13"),
    "no name": (_with(13, ROWS[1].replace("T2", "")), r"a series needs a name, got none in line 13"),
    "start": (
        _with(13, "T2:3.1.2024:Bari:4:1"),
        r"starts at a time like .*got '3.1.2024' in line 13, attribute 'start_timestamp'",
    ),
    "start too early": (_with(13, "T2:1492-01-01:Bari:4:1"), r"from 1678 to 2261, got '1492-01-01' in line 13"),
    "number": (_with(13, "T2:2024-01-03:Bari:big:1"), r"attribute 'size' must be a number, got 'big' in line 13"),
    "too long for its times": (
        [*_weekly("yearly", "1970-01-01")[:4], "x:1970-01-01:" + ",".join("1" * 300)],
        r"must lie before 2262, got 300 steps of YS-JAN from 1970-01-01 00:00:00 on in line 5",
    ),
}


@pytest.mark.parametrize(("lines", "words"), BAD.values(), ids=BAD)
def test_a_bad_file_is_one_line_that_names_file_line_and_way_out(tmp_path: Path, lines: list[str], words: str) -> None:
    path = _write(tmp_path, lines)
    with pytest.raises(ValueError, match=words) as error:
        read_tsf(path)
    assert str(error.value).startswith(f"{path}: ")
    assert "\n" not in str(error.value)


def test_a_missing_file_and_a_folder_are_errors(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="there is no such file"):
        read_tsf(tmp_path / "none.tsf")
    with pytest.raises(ValueError, match="a folder is no data file"):
        tsf_horizon(tmp_path)


@pytest.mark.parametrize("cell", ["", "?"])
def test_a_static_attribute_with_an_empty_cell_is_an_error_naming_the_line(tmp_path: Path, cell: str) -> None:
    path = _write(tmp_path, _with(13, f"T2:2024-01-03:{cell}:{cell}:1"))
    for name in ("town", "size"):
        with pytest.raises(ValueError, match=f"static column must not have empty cells, got one in line 13, column '{name}'"):
            read_tsf(path, Columns(static=(name,)))


def test_an_attribute_that_does_not_exist_is_an_error_that_lists_those_that_do(tmp_path: Path) -> None:
    for columns in (Columns(series_id="towm"), Columns(time="towm"), Columns(static=("towm",))):
        with pytest.raises(LookupError, match=r"no column is named 'towm'; there are: .*town.*; did you mean 'town'"):
            read_tsf(_write(tmp_path, LINES), columns)


NUMBERS = st.floats(allow_nan=True, allow_infinity=False)
NAMES = st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=8)


STARTS = st.datetimes(datetime(1700, 1, 1), datetime(2200, 1, 1)).map(lambda time: time.replace(microsecond=0))
WORDS = {"4_seconds": "4s", "10_minutes": "10min", "half_hourly": "30min", "hourly": "h", "daily": "D"}


@settings(max_examples=100, deadline=None)
@given(
    series=st.dictionaries(NAMES, st.tuples(STARTS, st.lists(NUMBERS, min_size=1, max_size=12)), min_size=1, max_size=5),
    word=st.sampled_from(sorted(WORDS)),
    missing=st.sampled_from(["?", "NaN", " ? "]),
)
def test_what_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, series: dict[str, tuple[datetime, list[float]]], word: str, missing: str
) -> None:
    cells = {
        name: ",".join(missing if value != value else repr(value) for value in values) for name, (_, values) in series.items()
    }
    rows = [f"{name}:{start:%Y-%m-%d %H-%M-%S}:{cells[name]}" for name, (start, _) in series.items()]
    panel = read_tsf(_write(tmp_path_factory.getbasetemp(), [*_weekly(word), *rows]))
    assert (panel.series, panel.frequency) == (tuple(series), WORDS[word])
    assert panel.start_times.tolist() == np.array([start for start, _ in series.values()], "datetime64[ns]").tolist()
    for (a, b), (_, values) in zip(pairwise(panel.offsets), series.values(), strict=True):
        np.testing.assert_array_equal(panel.values[a:b, 0], values)
    assert panel.n_missing == np.isnan(panel.values).sum() == (~panel.observed).sum()


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode), st.sampled_from([[], HEADER, HEADER[:-1]]))
def test_no_junk_gets_past_with_another_error(tmp_path_factory: pytest.TempPathFactory, junk: bytes, header: list[str]) -> None:
    path = tmp_path_factory.getbasetemp() / "junk.tsf"
    path.write_bytes("\n".join([*header, ""]).encode() + junk)
    with pytest.raises(ValueError, match="junk") as error:
        read_tsf(path)
    assert str(error.value).startswith(f"{path}: ")
    assert len(str(error.value).splitlines()) == 1
