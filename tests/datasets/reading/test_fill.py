from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.base import Panel
from datasets.config import FILLS
from datasets.reading.fill import fill, missing, unseen
from tests.datasets.panels import make_panel

NAN = np.nan
GAPS = [NAN, NAN, 1, NAN, NAN, 4, NAN, 5]


def _panel(*series: list[float], frequency: str = "QS", **more: object) -> Panel:
    """A panel of one channel; quarters have a season of four steps."""
    values = np.array([value for one in series for value in one])[:, None]
    panel = make_panel([len(one) for one in series], 1)
    return replace(panel, values=values, observed=~np.isnan(values), frequency=frequency, **more)


FILLED = {
    "forward": [1, 1, 1, 1, 1, 4, 4, 5],
    "seasonal": [1, 1, 1, 1, 1, 4, 1, 5],
    "zero": [0, 0, 1, 0, 0, 4, 0, 5],
}


@pytest.mark.parametrize(("rule", "expected"), FILLED.items())
def test_a_missing_value_is_filled_by_the_rule_and_stays_marked(rule: str, expected: list[float]) -> None:
    panel = fill(_panel(GAPS), rule, "here")
    assert panel.values[:, 0].tolist() == expected
    assert panel.observed[:, 0].tolist() == np.isfinite(GAPS).tolist()


def test_seasonal_repeats_what_it_filled_and_goes_forward_in_the_first_season() -> None:
    gaps = [1.0, NAN, 3, NAN, *[NAN] * 5, 9, NAN, NAN, NAN, NAN, 0]
    assert fill(_panel(gaps), "seasonal", "here").values[:, 0].tolist() == [1, 1, 3, 3, 1, 1, 3, 3, 1, 9, 3, 3, 1, 9, 0]


@pytest.mark.parametrize("rule", ["forward", "seasonal"])
def test_no_series_is_filled_from_another(rule: str) -> None:
    panel = _panel([1.0, 2, NAN, 3], [NAN, 8.0, NAN, 9])
    assert fill(panel, rule, "here").values[:, 0].tolist() == [1, 2, 2, 3, 8, 8, 8, 9]


@given(
    values=st.lists(st.none() | st.integers(0, 9), min_size=2, max_size=24).filter(lambda v: v[0] is not None),
    row=st.integers(1, 23),
    rule=st.sampled_from(FILLS),
)
def test_no_rule_looks_ahead(values: list[int | None], row: int, rule: str) -> None:
    row = min(row, len(values) - 1)
    filled = []
    for last in (100.0, 200.0):
        column = [NAN if value is None else float(value) for value in values[:row]] + [last] * (len(values) - row)
        filled.append(fill(_panel(column), rule, "here").values[:row])
    np.testing.assert_array_equal(*filled)


@given(values=st.lists(st.none() | st.integers(0, 9), min_size=1, max_size=30).filter(any), rule=st.sampled_from(FILLS))
def test_filling_leaves_no_hole_and_touches_nothing_that_was_there(values: list[int | None], rule: str) -> None:
    panel = _panel([NAN if value is None else float(value) for value in values])
    filled = fill(panel, rule, "here")
    assert np.isfinite(filled.values).all()
    np.testing.assert_array_equal(filled.values[panel.observed], panel.values[panel.observed])
    np.testing.assert_array_equal(fill(filled, rule, "here").values, filled.values)


@pytest.mark.parametrize("rule", [None, *FILLS])
def test_a_complete_panel_is_not_touched(rule: str | None) -> None:
    panel = make_panel((20, 30), n_covariates=1, n_known=2)
    assert fill(panel, rule, "here") is panel


@pytest.mark.parametrize("rule", ["forward", "seasonal"])
def test_covariates_and_what_is_known_are_filled_too(rule: str) -> None:
    panel = make_panel((6,), n_covariates=1, n_known=1)
    panel.covariates[3] = panel.known[4] = NAN
    filled = fill(panel, rule, "here")
    assert (filled.covariates[3, 0], filled.known[4, 0]) == (panel.covariates[2, 0], panel.known[3, 0])


def test_without_a_rule_the_first_missing_value_is_named_with_the_way_out() -> None:
    panel = _panel([1.0, 2, 3], [1.0, NAN, NAN, 4], frequency="D")
    with pytest.raises(ValueError, match="missing") as error:
        fill(panel, None, "here")
    assert str(error.value) == (
        "here: values must not be missing, got 2 empty or not finite, the first at 2024-01-02 00:00:00 in series 's1', "
        "column 'a'; use --fill forward, seasonal or zero"
    )


@pytest.mark.parametrize(("kind", "column"), [("covariates", "p0"), ("known", "k0")])
def test_without_a_rule_a_missing_covariate_is_named(kind: str, column: str) -> None:
    panel = make_panel((6,), n_covariates=1, n_known=1)
    getattr(panel, kind)[3] = NAN
    with pytest.raises(ValueError, match=f"got 1 .*at 2024-01-01 03:00:00 in series 's0', column '{column}'"):
        fill(panel, None, "here")


@pytest.mark.parametrize("rule", [None, *FILLS])
def test_in_the_future_targets_and_covariates_are_0_and_not_missing(rule: str | None) -> None:
    panel = make_panel((6, 8), n_covariates=1, n_known=1, n_future=2)
    assert not missing(panel).any()
    filled = fill(panel, rule, "here")
    assert filled.history.tolist() == [6, 8]
    assert filled.values[[6, 7, 16, 17]].tolist() == [[0, 0]] * 4
    assert filled.covariates[[6, 7, 16, 17]].tolist() == [[0]] * 4
    np.testing.assert_array_equal(filled.known, panel.known)


@pytest.mark.parametrize("rule", [None, *FILLS])
def test_what_is_known_ahead_must_be_there_in_the_future(rule: str | None) -> None:
    panel = make_panel((6,), n_known=2, n_future=2)
    panel.known[7, 1] = NAN
    with pytest.raises(
        ValueError, match=r"here: .* got nothing at 2024-01-01 07:00:00 in series 's0', column 'k1'; fill it in"
    ):
        fill(panel, rule, "here")


@pytest.mark.parametrize("rule", FILLS)
def test_a_column_without_any_value_cannot_be_filled(rule: str) -> None:
    panel = make_panel((6,))
    panel.values[:, 1] = NAN
    with pytest.raises(ValueError, match=r"here: .*got none in column 'b'; remove it"):
        fill(replace(panel, observed=~np.isnan(panel.values)), rule, "here")


@pytest.mark.parametrize("rule", ["forward", "seasonal"])
def test_a_column_without_a_value_in_one_series_is_an_error_naming_it(rule: str) -> None:
    panel = make_panel((6, 6), n_known=1, n_future=2)
    panel.values[8:, 1] = NAN
    panel = replace(panel, observed=~np.isnan(panel.values))
    with pytest.raises(ValueError, match="got none in series 's1', column 'b'; use --fill zero, or remove"):
        fill(panel, rule, "here")
    assert fill(panel, "zero", "here").values[8:, 1].tolist() == [0] * 8


def test_a_column_is_unseen_in_rows_without_a_value_of_it() -> None:
    panel = make_panel((6, 6), 1, n_covariates=1)
    panel.values[[2, 6, 7]] = panel.covariates[9:] = NAN
    ranges = np.array([[2, 3], [1, 3]])
    assert unseen(panel, ranges).tolist() == [[True, False], [False, False]]
    assert unseen(panel, np.array([[0, 0], [3, 6]])).tolist() == [[True, True], [False, True]]


def test_an_unknown_rule_is_an_error_that_lists_the_known() -> None:
    with pytest.raises(ValueError, match="fill must be one of forward, seasonal, zero, got 'linear'"):
        fill(make_panel(), "linear", "here")
