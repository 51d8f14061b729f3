from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from datasets.windows.prepared import Split
from datasets.windows.windowing import (
    Origins,
    check_windows,
    rows_within,
    score_origins,
    series_of,
    times_scored,
    train_origins,
)

reaches, horizons = st.integers(1, 30), st.integers(1, 12)
cuts = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 20), st.integers(0, 9)), min_size=1, max_size=5)
"""Of each series: train rows, scored rows, rows after them; any of them may be none."""


def _cut(parts: list[tuple[int, int, int]]) -> tuple[Split, np.ndarray]:
    train, score, _ = np.array(parts).T
    split = Split(name="some", train=np.stack([0 * train, train], axis=1), score=np.stack([train, train + score], axis=1))
    return split, np.concatenate([[0], np.cumsum(np.sum(parts, axis=1))]).astype(np.int64)


def _brute_force(ranges: np.ndarray, offsets: np.ndarray, reach: int, horizon: int) -> list[int]:
    """Every origin with ``reach`` rows up to it, itself one of them, and ``horizon`` after it, all in the range of a series."""
    return [
        int(offset + row)
        for offset, (start, end) in zip(offsets[:-1], ranges, strict=True)
        for row in range(start - 1, end)
        if row - reach + 1 >= start and row + horizon < end
    ]


@given(cuts, reaches, horizons)
def test_train_origins_are_those_of_all_windows_inside_the_train_rows(
    parts: list[tuple[int, int, int]], reach: int, horizon: int
) -> None:
    split, offsets = _cut(parts)
    expected = _brute_force(split.train, offsets, reach, horizon)
    assume(expected)
    assert train_origins(split, offsets, reach, horizon).all().tolist() == expected


@given(cuts, horizons)
def test_score_origins_are_those_of_all_windows_whose_targets_are_scored_rows(
    parts: list[tuple[int, int, int]], horizon: int
) -> None:
    split, offsets = _cut(parts)
    expected = _brute_force(split.score, offsets, 0, horizon)
    assume(expected)
    assert score_origins(split, offsets, horizon).all().tolist() == expected


@given(cuts, horizons, st.booleans())
def test_a_row_is_counted_once_for_each_scored_window_in_which_it_counts(
    parts: list[tuple[int, int, int]], horizon: int, last: bool
) -> None:
    split, offsets = _cut(parts)
    origins = _brute_force(split.score, offsets, 0, horizon)
    assume(origins)
    first = horizon - 1 if last else 0
    expected = np.zeros(offsets[-1], dtype=int)
    for origin in origins:
        expected[origin + 1 + first : origin + 1 + horizon] += 1
    assert times_scored(split, offsets, horizon, first).tolist() == expected.tolist()


runs = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9)), min_size=1, max_size=8).filter(lambda r: any(n for _, n in r))
"""Of each series: rows before its first origin, and how many origins follow; some have none."""


def _origins(runs: list[tuple[int, int]]) -> tuple[Origins, list[int]]:
    skipped, count = np.array(runs).T
    first = np.cumsum(skipped + count) - count
    return Origins(first, count), [int(a + i) for a, n in zip(first, count, strict=True) for i in range(n)]


@given(runs)
def test_origins_are_the_runs_of_all_series_one_after_the_other(runs: list[tuple[int, int]]) -> None:
    origins, expected = _origins(runs)
    assert len(origins) == len(expected)
    assert origins.all().tolist() == expected


@given(runs, st.data())
def test_origins_can_be_taken_from_any_places(runs: list[tuple[int, int]], data: st.DataObject) -> None:
    origins, expected = _origins(runs)
    places = data.draw(st.lists(st.integers(0, len(expected) - 1), max_size=20))
    assert origins.take(np.array(places, dtype=np.int64)).tolist() == [expected[place] for place in places]


@given(runs, st.integers(1, 12))
def test_batches_of_origins_are_full_but_for_the_last(runs: list[tuple[int, int]], size: int) -> None:
    origins, expected = _origins(runs)
    assert [batch.tolist() for batch in origins.batches(size)] == [
        expected[i : i + size] for i in range(0, len(expected), size)
    ]


@given(st.lists(st.integers(0, 5), min_size=1, max_size=8))
def test_every_row_belongs_to_the_series_that_holds_it(lengths: list[int]) -> None:
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    expected = np.repeat(np.arange(len(lengths)), lengths)
    np.testing.assert_array_equal(series_of(np.arange(sum(lengths)), offsets), expected)


@given(cuts)
def test_rows_within_ranges_are_those_of_each_series(parts: list[tuple[int, int, int]]) -> None:
    split, offsets = _cut(parts)
    expected = [row for a, (start, end) in zip(offsets[:-1], split.score, strict=True) for row in range(a + start, a + end)]
    within = rows_within(split.score, offsets)
    assert len(within) == offsets[-1]
    assert np.flatnonzero(within).tolist() == expected


def test_no_training_window_at_all_is_an_error_that_says_the_numbers() -> None:
    split, offsets = _cut([(70, 10, 20), (60, 10, 0)])
    with pytest.raises(ValueError, match=r"got 60 \+ 11 with 70 train rows \(stage some\); shorten"):
        train_origins(split, offsets, 60, 11)


def test_no_scored_window_at_all_is_an_error_that_says_the_numbers() -> None:
    split, offsets = _cut([(70, 10, 20), (70, 9, 20)])
    with pytest.raises(ValueError, match=r"horizon=11 with 10 rows \(stage some\); shorten"):
        score_origins(split, offsets, 11)


def test_a_reach_before_the_shortest_series_is_an_error_that_says_the_longest() -> None:
    split, offsets = _cut([(90, 10, 0), (70, 10, 20)])
    origins = score_origins(split, offsets, 5)
    check_windows(origins, offsets, 70, 5)
    with pytest.raises(ValueError, match=r"got 71 at an origin with 70 rows of history; use 70 or less"):
        check_windows(origins, offsets, 71, 5)


def test_a_future_past_the_end_of_a_series_is_an_error_that_says_the_longest() -> None:
    offsets = np.array([0, 10, 100])
    origins = Origins(np.array([2, 20]), np.array([3, 1]))
    check_windows(origins, offsets, 3, 5)
    with pytest.raises(ValueError, match=r"got horizon=6 .*use 5 or less"):
        check_windows(origins, offsets, 3, 6)


def test_a_series_without_windows_cannot_be_too_short_for_them() -> None:
    check_windows(Origins(np.array([-1, 12]), np.array([0, 1])), np.array([0, 1, 50]), 12, 5)
