from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.windows.time_features import calendar, feature_names

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
    st.datetimes(min_value=__import__("datetime").datetime(1900, 1, 1)),
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
