from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from datasets.config import Borders
from datasets.windows.prepared import Stage
from datasets.windows.splits import holdout, test_stage
from datasets.windows.windowing import check_windows, score_origins, series_of, train_origins

lookbacks = st.integers(1, 30)
horizons = st.integers(1, 12)
series_lengths = st.lists(st.integers(20, 90), min_size=1, max_size=4)


def _plan(lengths: list[int]) -> tuple[tuple[Stage, Stage], np.ndarray]:
    borders = [Borders.from_fractions(n) for n in lengths]
    return (holdout(*borders), test_stage(*borders)), np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)


def _rows(origins: np.ndarray, offsets: np.ndarray, first: int, last: int) -> np.ndarray:
    """(n, steps): rows within their series, from origin + first to origin + last."""
    return (origins - offsets[series_of(origins, offsets)])[:, None] + np.arange(first, last + 1)


@given(series_lengths, lookbacks, horizons)
def test_no_training_window_leaves_the_train_rows(lengths: list[int], lookback: int, horizon: int) -> None:
    (stage, _), offsets = _plan(lengths)
    assume(lookback + horizon <= min(stage.train[:, 1]))
    origins = train_origins(stage, offsets, lookback, horizon)
    rows = _rows(origins, offsets, 1 - lookback, horizon)
    assert (rows >= 0).all()
    assert (rows < stage.train[series_of(origins, offsets), 1][:, None]).all()


@given(series_lengths, lookbacks, horizons)
def test_training_windows_together_cover_every_train_row(lengths: list[int], lookback: int, horizon: int) -> None:
    (stage, _), offsets = _plan(lengths)
    assume(lookback + horizon <= min(stage.train[:, 1]))
    origins = train_origins(stage, offsets, lookback, horizon)
    covered = np.unique(origins[:, None] + np.arange(1 - lookback, horizon + 1))
    expected = [np.arange(o, o + end) for o, end in zip(offsets[:-1], stage.train[:, 1], strict=True)]
    np.testing.assert_array_equal(covered, np.concatenate(expected))


@given(series_lengths, horizons, st.booleans())
def test_targets_of_scored_windows_are_the_score_rows(lengths: list[int], horizon: int, test: bool) -> None:
    plan, offsets = _plan(lengths)
    stage = plan[test]
    assume(horizon <= min(stage.score[:, 1] - stage.score[:, 0]))
    origins = score_origins(stage, offsets, horizon)
    expected = [o + np.arange(*score) for o, score in zip(offsets[:-1], stage.score, strict=True)]
    np.testing.assert_array_equal(np.unique(origins[:, None] + np.arange(1, horizon + 1)), np.concatenate(expected))
    assert len(origins) == sum(end - start - horizon + 1 for start, end in stage.score)


@given(st.integers(20, 200))
def test_the_parts_of_a_series_follow_each_other_without_gap_or_overlap(n_rows: int) -> None:
    (first, second), _ = _plan([n_rows])
    assert [*first.train[0], *first.score[0], *second.score[0]] == [
        0, *np.repeat([first.train[0, 1], second.score[0, 0]], 2), n_rows
    ]  # fmt: skip
    np.testing.assert_array_equal(first.train, second.train)


def test_a_series_too_short_for_a_window_gives_none_and_the_others_give_theirs() -> None:
    (stage, _), offsets = _plan([20, 90])
    origins = train_origins(stage, offsets, 20, 2)
    assert set(series_of(origins, offsets)) == {1}
    assert len(origins) == 62 - 22 + 1


def test_no_training_window_at_all_is_an_error_that_says_the_numbers() -> None:
    (stage, _), offsets = _plan([100])
    with pytest.raises(ValueError, match=r"lookback=60 \+ horizon=11 with 70 train rows .*shorten"):
        train_origins(stage, offsets, 60, 11)


def test_no_scored_window_at_all_is_an_error_that_says_the_numbers() -> None:
    (stage, _), offsets = _plan([100])
    with pytest.raises(ValueError, match=r"horizon=11 with 10 rows \(stage holdout\); shorten"):
        score_origins(stage, offsets, 11)


def test_a_lookback_that_reaches_before_the_series_is_an_error_that_says_the_longest() -> None:
    (stage, _), offsets = _plan([100, 100])
    origins = score_origins(stage, offsets, 5)
    check_windows(origins, offsets, 70, 5)
    with pytest.raises(ValueError, match=r"got lookback=71 .*use 70 or less"):
        check_windows(origins, offsets, 71, 5)


def test_a_future_past_the_end_of_the_series_is_an_error_that_says_the_longest() -> None:
    with pytest.raises(ValueError, match=r"got horizon=6 .*use 5 or less"):
        check_windows(np.array([4]), np.array([0, 10, 100]), 5, 6)
