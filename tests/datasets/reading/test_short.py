from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from datasets.base import Panel
from datasets.reading.short import short_series
from tests.datasets.panels import make_panel


def _panel(lengths: tuple[int, ...] = (9, 4, 7), n_future: int = 0) -> Panel:
    return make_panel(lengths, n_covariates=1, n_known=1, n_static=1, n_categories=1, n_future=n_future)


@pytest.mark.parametrize("rule", [None, "drop", "pad"])
def test_a_panel_of_long_series_is_not_touched(rule: str | None) -> None:
    panel = _panel()
    assert short_series(panel, 4, rule, "here") is panel


def test_without_a_rule_short_series_are_counted_and_the_shortest_is_named_with_the_way_out() -> None:
    with pytest.raises(ValueError, match="shorter") as error:
        short_series(_panel(), 8, None, "here")
    assert str(error.value) == (
        "here: every series needs 8 rows up to its last target, got 2 of 3 shorter, the shortest is 's1' with 4 rows; "
        "use --short-series drop or pad, or a shorter lookback"
    )


def test_rows_of_the_future_do_not_count() -> None:
    with pytest.raises(ValueError, match="the shortest is 's0' with 5 rows"):
        short_series(_panel((5,), n_future=3), 6, None, "here")


def test_drop_leaves_the_other_series_as_they_were() -> None:
    panel = _panel()
    kept = short_series(panel, 5, "drop", "here")
    rows = np.r_[0:9, 13:20]
    assert (kept.series, kept.lengths.tolist()) == (("s0", "s2"), [9, 7])
    for name in ("values", "observed", "covariates", "known"):
        np.testing.assert_array_equal(getattr(kept, name), getattr(panel, name)[rows])
    for name in ("static", "static_categories", "start_times"):
        np.testing.assert_array_equal(getattr(kept, name), getattr(panel, name)[[0, 2]])


def test_dropping_every_series_is_an_error() -> None:
    with pytest.raises(ValueError, match="here: a series must be left that has 10 rows, got 3 of 3 shorter"):
        short_series(_panel(), 10, "drop", "here")


def test_pad_puts_rows_in_front_that_repeat_the_first_and_are_not_observed() -> None:
    panel = _panel()
    padded = short_series(panel, 7, "pad", "here")
    assert padded.lengths.tolist() == [9, 7, 7]
    assert not padded.observed[9:12].any()
    for name in ("values", "covariates", "known"):
        before, after = getattr(panel, name), getattr(padded, name)
        np.testing.assert_array_equal(after[9:12], np.repeat(before[9:10], 3, axis=0))
        np.testing.assert_array_equal(np.delete(after, slice(9, 12), axis=0), before)
    np.testing.assert_array_equal(np.delete(padded.observed, slice(9, 12), axis=0), panel.observed)


@pytest.mark.parametrize(
    ("frequency", "start", "expected"),
    [
        ("h", "2024-01-01", "2023-12-31T21:00"),
        ("15min", "2024-01-01", "2023-12-31T23:15"),
        ("W-THU", "2024-01-04T00:30", "2023-12-14T00:30"),
        ("MS", "2024-01-01", "2023-10-01"),
        ("ME", "2024-01-31", "2023-10-31"),
        ("B", "2024-01-01", "2023-12-27"),
    ],
)
def test_a_padded_series_starts_that_many_steps_earlier(frequency: str, start: str, expected: str) -> None:
    panel = replace(_panel((4,)), frequency=frequency, start_times=np.array([start], dtype="datetime64[ns]"))
    assert short_series(panel, 7, "pad", "here").start_times[0] == np.datetime64(expected)


def test_fewer_rows_may_be_enough() -> None:
    panel = _panel((9, 4, 7))
    assert short_series(panel, 8, "drop", "here", lambda n: n == 4).series == ("s0", "s1")
    assert short_series(panel, 8, "pad", "here", lambda n: n == 4).lengths.tolist() == [9, 4, 8]


def test_padding_to_before_what_nanoseconds_count_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"must start series in 1678 or later, got 's0' in 1624-.*; use drop"):
        short_series(replace(_panel((4,)), frequency="YS-JAN"), 404, "pad", "here")


def test_padding_keeps_the_future_and_reaches_the_rows_of_history() -> None:
    padded = short_series(_panel((4,), n_future=2), 7, "pad", "here")
    assert (padded.history.tolist(), padded.lengths.tolist()) == ([7], [9])


def test_a_series_without_any_target_cannot_be_padded() -> None:
    panel = _panel()
    panel.observed[9:13] = False
    with pytest.raises(ValueError, match="here: a series needs an observed target to be padded, got none in 's1'"):
        short_series(panel, 5, "pad", "here")


def test_an_unknown_rule_is_an_error_that_lists_the_known() -> None:
    with pytest.raises(ValueError, match="short series must be one of drop, pad, got 'cut'"):
        short_series(_panel(), 5, "cut", "here")
