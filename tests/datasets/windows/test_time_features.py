from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.reading.frequency import time_of
from datasets.windows.time_features import calendar, feature_names, places_in_time

STARTS = {"W-SUN": "2024-01-07", "ME": "2024-01-31", "QE-DEC": "2023-12-31", "YE-DEC": "2023-12-31"}
WIDTHS = {
    "30s": 6,
    "15min": 5,
    "h": 4,
    "D": 3,
    "B": 3,
    "W-SUN": 2,
    "MS": 1,
    "ME": 1,
    "QE-DEC": 1,
    "QS-OCT": 1,
    "YS-JAN": 0,
    "YE-DEC": 0,
}


def _start(text: str) -> np.datetime64:
    return np.datetime64(text, "ns")


@pytest.mark.parametrize(("frequency", "width"), WIDTHS.items())
def test_the_frequency_says_how_many_features_there_are(frequency: str, width: int) -> None:
    features = calendar(_start(STARTS.get(frequency, "2024-01-01")), 10, frequency)
    assert features.shape == (10, width) == (10, len(feature_names(frequency)))
    assert features.dtype == np.float32


@settings(max_examples=40, deadline=None)
@given(
    st.datetimes(min_value=datetime(1900, 1, 1)),
    st.sampled_from(["30s", "15min", "h", "D", "W", "ME", "QS"]),
)
def test_every_feature_lies_within_a_half(start: object, frequency: str) -> None:
    features = calendar(np.datetime64(start, "s").astype("datetime64[us]"), 500, frequency)
    assert (np.abs(features) <= 0.5).all()


@pytest.mark.parametrize(
    ("time", "frequency", "expected"),
    [
        ("2024-01-01T00:00", "h", [-0.5, -0.5, -0.5, -0.5]),  # a Monday
        ("2023-12-31T23:00", "h", [0.5, 0.5, 0.5, 364 / 365 - 0.5]),  # a Sunday, the last hour of a common year
        ("2024-12-31T12:30", "30min", [30 / 59 - 0.5, 12 / 23 - 0.5, 1 / 6 - 0.5, 0.5, 0.5]),  # a Tuesday of a leap year
        ("2024-02-29", "D", [3 / 6 - 0.5, 28 / 30 - 0.5, 59 / 365 - 0.5]),  # a Thursday
        ("2024-06-30", "ME", [5 / 11 - 0.5]),
    ],
)
def test_known_dates_have_known_features(time: str, frequency: str, expected: list[float]) -> None:
    np.testing.assert_allclose(calendar(_start(time), 1, frequency)[0], expected, atol=1e-7)


def test_a_longer_calendar_goes_on_where_a_shorter_one_ends() -> None:
    start = _start("2024-02-28")
    np.testing.assert_array_equal(calendar(start, 50, "h")[:30], calendar(start, 30, "h"))
    np.testing.assert_array_equal(calendar(start, 50, "h")[30:], calendar(start + np.timedelta64(30, "h"), 20, "h"))


GRIDS = ["30s", "15min", "h", "D", "B", "2B", "W-WED", "2W-SUN", "MS", "ME", "2MS", "QE-DEC", "QS-FEB", "YS-JUL"]


@settings(max_examples=40, deadline=None)
@given(st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)), st.sampled_from(GRIDS), st.integers(0, 50))
def test_rows_lie_where_pandas_puts_them(start: datetime, frequency: str, n_rows: int) -> None:
    expected = pd.date_range(pd.Timestamp(start).floor("s"), periods=n_rows + 1, freq=frequency)
    times = time_of(expected[0].to_datetime64(), np.arange(n_rows + 1), frequency)
    np.testing.assert_array_equal(times, expected.to_numpy().astype("datetime64[s]"))
    np.testing.assert_array_equal(time_of(times[-1], -np.arange(n_rows + 1), frequency), times[::-1])


def test_weeks_go_on_from_the_start_even_where_it_is_off_the_anchor() -> None:
    assert time_of(_start("2024-01-03T12:00"), [0, 1], "W-SUN").tolist() == [
        datetime(2024, 1, 3, 12),
        datetime(2024, 1, 10, 12),
    ]


def test_a_calendar_may_reach_past_the_year_2262() -> None:
    assert (calendar(_start("1750-01-01"), 835, "YS-JAN")).shape == (835, 0)
    np.testing.assert_allclose(
        calendar(_start("1750-01-01"), 4 * 600, "QS-JAN")[-4:, 0], [-0.5, 3 / 11 - 0.5, 6 / 11 - 0.5, 9 / 11 - 0.5]
    )


@settings(max_examples=40, deadline=None)
@given(
    st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)),
    st.sampled_from(GRIDS),
    st.lists(st.integers(0, 90), min_size=1, max_size=6),
)
def test_places_in_time_count_the_rows_between_starts(start: datetime, frequency: str, places: list[int]) -> None:
    line = pd.date_range(pd.Timestamp(start).floor("s"), periods=100, freq=frequency).to_numpy().astype("datetime64[ns]")
    found, phase = places_in_time(line[places], frequency)
    assert found.tolist() == [place - min(places) for place in places]
    assert not phase.any()


@pytest.mark.parametrize(
    ("starts", "frequency", "places", "phases"),
    [
        (["2024-01-01T01:00", "2024-01-01T00:30", "2024-01-01T02:30"], "h", [0, 0, 2], [1800, 0, 0]),
        (["2024-01-07", "2024-01-15", "2024-01-01"], "W-SUN", [0, 2, 0], [6 * 86400, 0, 0]),
        (["2024-03-01", "2024-01-15", "2023-11-30"], "2MS", [2, 1, 0], [0, 0, 0]),
        (["2024-01-06", "2024-01-08", "2024-01-09"], "B", [0, 0, 1], [0, 0, 0]),  # a Saturday, Monday, Tuesday
    ],
)
def test_starts_out_of_step_are_told_by_their_phase(
    starts: list[str], frequency: str, places: list[int], phases: list[int]
) -> None:
    found, phase = places_in_time(np.array(starts, dtype="datetime64[ns]"), frequency)
    assert (found.tolist(), phase.tolist()) == (places, phases)
