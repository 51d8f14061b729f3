from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.base import Panel
from datasets.config import Borders, by_fractions
from datasets.windows.prepare import hash_panel, prepare, prepare_history
from datasets.windows.prepared import PreparedData
from datasets.windows.scaling import fit_scalers
from datasets.windows.splits import final_test, holdout, rolling_folds
from datasets.windows.time_features import calendar
from tests.datasets.panels import make_panel

HASH = "46ea242d6188ea0bcd7d36ec2c367393b5ca74cd6a6264fa654fb104e81e6af2"
"""Of the panel in the test, as first computed."""
CUT = Borders(train_end=70, val_end=80, test_end=100)
ARRAYS = ("values", "observed", "covariates", "known")


def _prepare(panel: Panel, horizon: int = 4, *, test: bool = False) -> PreparedData:
    borders = [CUT] if len(panel.series) == 1 else [by_fractions(int(n), horizon) for n in panel.history]
    return prepare(panel, [holdout(borders), final_test(borders)] if test else [holdout(borders)], horizon)


def _full(lengths: tuple[int, ...] = (100,), **more: int) -> Panel:
    return make_panel(lengths, n_covariates=1, n_known=2, n_static=1, n_categories=1, **more)


def test_trials_get_no_test_row() -> None:
    data = _prepare(_full())
    assert {len(getattr(data, name)) for name in (*ARRAYS, "calendar")} == {80} == {data.offsets[-1]}
    assert [stage.name for stage in data.stages] == ["holdout"]


def test_what_trials_get_is_unchanged_by_other_test_rows() -> None:
    panel = _full()
    changed = replace(panel, **{name: getattr(panel, name).copy() for name in ARRAYS})
    for name in ARRAYS:
        getattr(changed, name)[80:] = 0
    first, second = _prepare(panel), _prepare(changed)
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    assert first.stages[0].scalers.to_json() == second.stages[0].scalers.to_json()


def test_opening_the_test_rows_changes_no_other_row_and_no_scaler() -> None:
    shut, opened = (_prepare(_full(), test=test) for test in (False, True))
    for name in (*ARRAYS, "calendar"):
        np.testing.assert_array_equal(getattr(opened, name)[:80], getattr(shut, name))
    assert opened.stages[0].scalers.to_json() == opened.stages[1].scalers.to_json() == shut.stages[0].scalers.to_json()
    assert [stage.name for stage in opened.stages] == ["holdout", "test"]
    assert len(opened.values) == 100


def test_every_fold_has_scalers_of_its_own_train_rows() -> None:
    panel, splits = _full(), rolling_folds([CUT], 3)
    data = prepare(panel, splits, 4)
    assert [stage.scalers.to_json() for stage in data.stages] == [fit_scalers(panel, s.train).to_json() for s in splits]
    assert len({stage.scalers.targets.mean[0, 0] for stage in data.stages}) == 3


@pytest.mark.parametrize("name", ARRAYS)
def test_every_series_is_cut_at_its_own_border(name: str) -> None:
    panel = _full((60, 90))
    data = _prepare(panel)
    assert data.offsets.tolist() == [0, 48, 120]
    np.testing.assert_array_equal(getattr(data, name), getattr(panel, name)[np.r_[0:48, 60:132]])


def test_a_panel_that_is_not_cut_is_not_copied() -> None:
    panel = _full()
    assert _prepare(panel, test=True).values is panel.values


def test_rows_after_the_test_end_are_left_out() -> None:
    assert len(_prepare(make_panel((150,)), test=True).values) == 100


def test_borders_past_the_end_of_the_history_are_an_error() -> None:
    with pytest.raises(ValueError, match=r"got row 100 of 's0' with 99 rows"):
        _prepare(make_panel((99,), n_future=5), test=True)


@pytest.mark.parametrize(("horizon", "test", "stage"), [(11, False, "holdout"), (11, True, "holdout")])
def test_a_horizon_longer_than_a_scored_part_is_an_error(horizon: int, test: bool, stage: str) -> None:
    with pytest.raises(ValueError, match=rf"horizon={horizon} .*stage {stage}"):
        _prepare(make_panel(), horizon, test=test)


# The calendar


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from([("h", "h"), ("h", "m"), ("W-SUN", "D"), ("MS", "M"), ("QS-JAN", "M"), ("D", "D"), ("YS-JAN", "Y")]),
    st.lists(st.tuples(st.integers(0, 200), st.integers(20, 40)), min_size=1, max_size=5),
)
def test_every_series_finds_its_own_calendar_whatever_the_others_do(
    kind: tuple[str, str], series: list[tuple[int, int]]
) -> None:
    frequency, step = kind
    starts, lengths = (np.array(part) for part in zip(*series, strict=True))
    times = (np.datetime64("2024-01-01", step) + starts * np.timedelta64(1, step)).astype("datetime64[ns]")
    data = _history(replace(make_panel(lengths), frequency=frequency, start_times=times), 3)
    for time, n, row in zip(times, lengths + 3, data.calendar_rows, strict=True):
        np.testing.assert_array_equal(data.calendar[row : row + n], calendar(time, int(n), frequency))
    assert len(data.calendar) <= len(data.values)


def _history(panel: Panel, horizon: int = 4) -> PreparedData:
    train = np.stack([np.zeros_like(panel.history), panel.history], axis=1)
    return prepare_history(panel, fit_scalers(panel, train), horizon)


@pytest.mark.parametrize(
    ("frequency", "starts", "rows"),
    [
        ("h", ["2024-01-01T05:00", "2024-01-01T00:00"], 26),  # 5 to 25 and 0 to 20, and the horizon
        ("W-MON", ["2024-01-08", "2024-01-01"], 26 - 4),
        ("MS", ["2024-03-01", "2024-01-01"], 26 - 3),
        ("h", ["2024-01-01T00:30", "2024-01-01T00:00"], 42),  # out of step
        ("h", ["2024-01-01T22:00", "2024-01-01T00:00"], 42),  # an hour between them
        ("h", ["2024-02-01", "2024-01-01"], 42),  # far apart
    ],
)
def test_series_share_a_calendar_where_they_overlap_in_step(frequency: str, starts: list[str], rows: int) -> None:
    times = np.array(starts, dtype="datetime64[ns]")
    data = _history(replace(make_panel((20, 20)), frequency=frequency, start_times=times), 1)
    assert len(data.calendar) == rows


# The future


def test_the_history_goes_on_for_a_horizon_that_nobody_has_observed() -> None:
    panel = _full((50, 30), n_future=6)
    data = _history(panel)
    assert data.offsets.tolist() == [0, 54, 88]
    np.testing.assert_array_equal(data.values[:50], panel.values[:50])
    np.testing.assert_array_equal(data.covariates[54:84], panel.covariates[56:86])
    future = np.r_[50:54, 84:88]
    assert not data.values[future].any()
    assert not data.covariates[future].any()
    assert not data.observed[future].any()


def test_what_is_known_ahead_comes_from_the_rows_after_the_history() -> None:
    panel = _full((50, 30), n_future=6)
    np.testing.assert_array_equal(_history(panel).known, panel.known[np.r_[0:54, 56:90]])


def test_a_panel_with_nothing_known_ahead_needs_no_rows_after_its_history() -> None:
    data = _history(make_panel((50, 30)))
    assert data.known.shape == (88, 0)
    assert data.stages[0].score.tolist() == [[50, 54], [30, 34]]


def test_a_covariate_known_ahead_that_ends_before_the_horizon_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"\(k0, k1\) must reach .*'s0' has 3 rows of 4 after its last target; add rows"):
        _history(_full((50, 30), n_future=3))


@given(st.lists(st.lists(st.booleans(), max_size=6), min_size=1, max_size=5).filter(any))
def test_the_history_ends_with_the_last_observed_target(observed: list[list[bool]]) -> None:
    panel = make_panel([len(rows) for rows in observed])
    panel.observed[:] = np.concatenate(observed).astype(bool)[:, None] & [True, False]
    expected = [max((i + 1 for i, seen in enumerate(rows) if seen), default=0) for rows in observed]
    assert panel.history.tolist() == expected


# The hash


def test_the_hash_is_of_the_whole_panel_whatever_is_cut() -> None:
    panel = _full()
    assert {_prepare(panel, test=test).sha256 for test in (False, True)} == {hash_panel(panel)}


@pytest.mark.parametrize(
    "change",
    [
        {"values": make_panel(seed=1).values},
        {"observed": np.zeros((100, 2), dtype=bool)},
        {"covariates": np.zeros((100, 1))},
        {"known": np.zeros((100, 2))},
        {"static": np.full((1, 1), 9.0)},
        {"static_categories": np.array([[7]])},
        {"start_times": np.array(["2024-01-02"], dtype="datetime64[ns]")},
        {"frequency": "D"},
        {"channels": ("a", "c")},
        {"covariate_names": ("other",)},
        {"known_names": ("k1", "k0")},
        {"static_names": ("other",)},
        {"category_names": ("other",)},
        {"categories": (("u", "w", "v"),)},
        {"series": ("other",)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_hash_changes_with_every_part_of_the_panel(change: dict) -> None:
    assert hash_panel(replace(_full(), **change)) != hash_panel(_full())


def test_the_hash_of_a_panel_never_changes() -> None:
    panel = replace(make_panel((100,)), values=np.arange(200.0).reshape(100, 2), observed=np.ones((100, 2), dtype=bool))
    assert hash_panel(panel) == HASH
    big_endian = replace(panel, values=panel.values.astype(">f8"), start_times=panel.start_times.astype("datetime64[s]"))
    assert hash_panel(big_endian) == HASH


def test_a_long_panel_has_the_hash_of_its_bytes_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    panel = _full()
    whole = hash_panel(panel)
    monkeypatch.setattr("datasets.windows.prepare._HASHED_ROWS", 7)
    assert hash_panel(panel) == whole
