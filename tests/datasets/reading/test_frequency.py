from __future__ import annotations

import pandas as pd
import pytest

from datasets.reading.frequency import infer, normalise, period_of, unit_of

RENAMED = [
    ("H", "h"),
    ("T", "min"),
    ("15T", "15min"),
    ("S", "s"),
    ("M", "ME"),
    ("Q", "QE"),
    ("Q-NOV", "QE-NOV"),
    ("Y", "YE"),
    ("A", "YE"),
]
TODAY = ["h", "15min", "30s", "D", "B", "W-SUN", "W-WED", "MS", "ME", "QS-OCT", "QE-DEC", "YS-JAN", "YE-DEC"]


@pytest.mark.parametrize(("old", "new"), RENAMED + [(alias, alias) for alias in TODAY])
def test_old_and_new_aliases_get_one_spelling(old: str, new: str) -> None:
    assert normalise(old) == new


@pytest.mark.parametrize("alias", ["", "x", "0h", "-1h", "hourly", "ms", "1.5h"])
def test_an_unknown_alias_is_an_error_that_shows_some(alias: str) -> None:
    with pytest.raises(ValueError, match=r"like h, 15min, D, W-SUN or MS, got "):
        normalise(alias)


@pytest.mark.parametrize("frequency", TODAY)
def test_the_frequency_is_found_from_the_times(frequency: str) -> None:
    assert infer(pd.date_range("2024-01-01", periods=9, freq=frequency), "f", str) == frequency


PERIODS = {
    "h": 24,
    "15min": 96,
    "30min": 48,
    "min": 1440,
    "D": 7,
    "B": 5,
    "W": 52,
    "MS": 12,
    "ME": 12,
    "QS": 4,
    "QE-DEC": 4,
    "YS": 1,
    "YE": 1,
}


@pytest.mark.parametrize(("frequency", "period"), [*PERIODS.items(), ("2h", 12), ("30s", 120), ("48h", 1)])
def test_a_season_has_so_many_steps(frequency: str, period: int) -> None:
    assert period_of(frequency) == period


def test_a_unit_is_what_a_step_is_a_multiple_of() -> None:
    assert [unit_of(f) for f in ("15min", "2h", "W-SUN", "QS-OCT")] == ["minute", "hour", "week", "quarter"]


def test_rows_missing_among_few_are_found_by_the_usual_frequency() -> None:
    times = pd.date_range("2024-01-01", periods=5).delete(2)
    with pytest.raises(ValueError, match=r"got none for 2024-01-03 00:00:00 after 1 .*step: D"):
        infer(times, "f", str, usual="D")


@pytest.mark.parametrize("frequency", TODAY)
def test_missing_rows_are_counted_and_the_first_is_named(frequency: str) -> None:
    times = pd.date_range("2024-01-01", periods=20, freq=frequency)
    gappy = times.delete([8, 9, 14])
    with pytest.raises(ValueError, match=f"^f: .*got none for {times[8]} after 7 .*3 missing, gaps: 2, step: {frequency}"):
        infer(gappy, "f", str)
