from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from datasets.config import Borders, by_fractions, cut_of, last_horizons
from datasets.windows.prepared import Split
from datasets.windows.splits import chained_stages, final_test, future, holdout, rolling_folds

lengths = st.lists(st.integers(20, 90), min_size=1, max_size=4)


def _folds(lengths: list[int], n_folds: int) -> tuple[Split, ...]:
    borders = [by_fractions(n, 1) for n in lengths]
    assume(all(b.train_end > (n_folds - 1) * (b.val_end - b.train_end) for b in borders))
    return rolling_folds(borders, n_folds)


@given(lengths)
def test_the_parts_of_a_series_follow_each_other_without_gap_or_overlap(lengths: list[int]) -> None:
    borders = [by_fractions(n, 1) for n in lengths]
    first, second = holdout(borders), final_test(borders)
    np.testing.assert_array_equal(first.train, second.train)
    parts = np.concatenate([first.train, first.score, second.score], axis=1)
    np.testing.assert_array_equal(parts[:, [1, 3]], parts[:, [2, 4]])
    np.testing.assert_array_equal(parts[:, [0, 5]], [[0, n] for n in lengths])


@given(lengths, st.integers(1, 5))
def test_the_last_fold_is_the_holdout(lengths: list[int], n_folds: int) -> None:
    last, whole = _folds(lengths, n_folds)[-1], holdout([by_fractions(n, 1) for n in lengths])
    np.testing.assert_array_equal(last.train, whole.train)
    np.testing.assert_array_equal(last.score, whole.score)


@given(lengths, st.integers(2, 5))
def test_folds_score_consecutive_rows_of_equal_number(lengths: list[int], n_folds: int) -> None:
    scores = np.stack([fold.score for fold in _folds(lengths, n_folds)])
    np.testing.assert_array_equal(scores[1:, :, 0], scores[:-1, :, 1])
    assert (np.diff(scores, axis=2) == np.diff(scores[-1], axis=1)).all()


@given(lengths, st.integers(1, 5))
def test_a_fold_trains_on_all_rows_before_those_it_scores(lengths: list[int], n_folds: int) -> None:
    for fold in _folds(lengths, n_folds):
        assert (fold.train[:, 0] == 0).all()
        np.testing.assert_array_equal(fold.train[:, 1], fold.score[:, 0])


def test_folds_are_numbered_from_the_earliest() -> None:
    assert [fold.name for fold in rolling_folds([by_fractions(90, 1)], 3)] == ["fold_1", "fold_2", "fold_3"]


def test_folds_that_leave_nothing_to_train_on_are_an_error_that_says_how_many_do() -> None:
    borders = [Borders(train_end=100, val_end=110, test_end=120), Borders(train_end=30, val_end=40, test_end=50)]
    rolling_folds(borders, 3)
    with pytest.raises(ValueError, match="got 4 folds of 10 rows in a series with 30 train rows; use 3 or fewer"):
        rolling_folds(borders, 4)


def test_each_series_is_cut_from_its_own_end_whatever_the_calendar() -> None:
    early, late = [last_horizons(n, 8) for n in (50, 90)]  # both begin on one day
    fold = rolling_folds([early, late], 2)[0]
    assert fold.score.tolist() == [[26, 34], [66, 74]]
    assert fold.train[1, 1] > fold.score[0, 1]  # the longer one trains on days after those on which the other is scored


def test_the_future_is_one_window_after_each_series() -> None:
    split = future([7, 12], 3)
    assert split.train.tolist() == [[0, 7], [0, 12]]
    assert split.score.tolist() == [[7, 10], [12, 15]]


def test_many_short_series_are_cut_into_their_last_horizons() -> None:
    assert last_horizons(50, 8) == Borders(train_end=34, val_end=42, test_end=50)


@given(lengths, st.integers(2, 4))
def test_stages_in_turn_cover_all_rows_before_the_test_without_gap_or_overlap(lengths: list[int], n_stages: int) -> None:
    borders = [by_fractions(n, 1) for n in lengths]
    stages = chained_stages(borders, n_stages, 1)
    parts = np.concatenate([part for stage in stages for part in (stage.train, stage.score)], axis=1)
    np.testing.assert_array_equal(parts[:, 1:-1:2], parts[:, 2::2])
    np.testing.assert_array_equal(parts[:, [0, -1]], [[0, b.val_end] for b in borders])


def test_a_stage_scores_the_share_that_validates_and_at_least_a_horizon() -> None:
    border = Borders(train_end=700, val_end=800, test_end=1000)
    assert [split.score.tolist() for split in chained_stages([border], 2, 24)] == [[[350, 400]], [[750, 800]]]
    assert [split.score.tolist() for split in chained_stages([border], 2, 96)] == [[[304, 400]], [[704, 800]]]


def test_stages_that_leave_nothing_to_train_on_are_an_error() -> None:
    with pytest.raises(ValueError, match="got 4 stages of 20 rows, of which 24 are scored"):
        chained_stages([Borders(train_end=70, val_end=80, test_end=120)], 4, 24)


def test_percentages_cut_as_they_say() -> None:
    assert cut_of("60/20/20")(1000, 5) == Borders(train_end=600, val_end=800, test_end=1000)
    assert cut_of("70/10/20")(17_420, 5) == cut_of("fractions")(17_420, 5)


@pytest.mark.parametrize(
    "split", ["half", "60/20", "60/20/30", "60/40/0", "060/20/20", "60/20/20/", "-60/80/80", "6e1/20/20", ""]
)
def test_a_split_that_is_none_is_refused(split: str) -> None:
    with pytest.raises(ValueError, match="--split must be fractions, last, or percentages"):
        cut_of(split)
