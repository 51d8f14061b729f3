from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.base import Panel
from datasets.windows import scaling
from datasets.windows.prepared import Scalers
from datasets.windows.scaling import fit_pooled, fit_scalers, fit_targets, scaled
from tests.datasets.panels import make_panel

TRAIN = np.array([[0, 42], [5, 63]])


def _panel(missing: float = 0.0) -> Panel:
    return make_panel((60, 90), missing=missing, n_covariates=2, n_known=1, n_static=1)


def test_statistics_are_those_of_the_observed_train_rows_of_each_series() -> None:
    panel = _panel(missing=0.3)
    scaler = fit_targets(panel, TRAIN)
    for i, rows in enumerate((slice(0, 42), slice(65, 123))):
        for c in range(2):
            seen = panel.values[rows, c][panel.observed[rows, c]]
            found = scaler.mean[i, c], scaler.std[i, c], scaler.size[i, c]
            assert found == pytest.approx((seen.mean(), seen.std(ddof=0), np.abs(seen).mean()), rel=1e-12)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 5), st.integers(0, 4)), min_size=1, max_size=9), st.integers(1, 20))
def test_each_series_is_fitted_as_if_it_were_alone(parts: list[tuple[int, int, int]], block: int) -> None:
    parts = [(0, 3, 0), *parts]
    before, length, _ = np.array(parts).T
    train = np.stack([before, before + length], axis=1)
    panel = make_panel([sum(part) for part in parts], missing=0.1)
    panel.observed[0] = True
    original, scaling._ROWS = scaling._ROWS, block  # so few rows at a time
    try:
        together = fit_targets(panel, train)
    finally:
        scaling._ROWS = original
    for i, ((start, _), (first, last)) in enumerate(zip(pairwise(panel.offsets), train, strict=True)):
        values, seen = (array[start + first : start + last] for array in (panel.values, panel.observed))
        count = np.maximum(seen.sum(axis=0), 1)
        mean = np.where(seen, values, 0).sum(axis=0) / count
        np.testing.assert_allclose(together.mean[i], mean, rtol=1e-12)
        std = np.sqrt((np.where(seen, values - mean, 0) ** 2).sum(axis=0) / count)
        np.testing.assert_allclose(together.std[i], np.where(seen.sum(axis=0) > 1, std, 1), rtol=1e-12)


def test_covariates_are_scaled_over_all_series_together() -> None:
    panel = _panel()
    rows = np.r_[0:42, 65:123]
    scaler = fit_pooled(panel.covariates, panel.offsets, TRAIN)
    np.testing.assert_allclose(scaler.mean, panel.covariates[rows].mean(axis=0, keepdims=True), rtol=1e-12)
    np.testing.assert_allclose(scaler.std, panel.covariates[rows].std(axis=0, keepdims=True), rtol=1e-12)


def test_static_numbers_are_scaled_over_the_series() -> None:
    panel = _panel()
    scaler = fit_scalers(panel, TRAIN).static
    assert scaler.mean[0, 0] == pytest.approx(panel.static.mean())
    assert scaler.std[0, 0] == pytest.approx(panel.static.std())


def test_rows_outside_training_change_no_scaler() -> None:
    panel = _panel()
    outside = np.r_[42:65, 123:150]
    changed = replace(panel, **{name: getattr(panel, name).copy() for name in ("values", "covariates", "known")})
    for array in (changed.values, changed.covariates, changed.known):
        array[outside] = np.nan
    assert fit_scalers(panel, TRAIN).to_json() == fit_scalers(changed, TRAIN).to_json()


def test_a_channel_that_is_constant_in_training_keeps_its_width() -> None:
    panel = _panel()
    panel.values[:60, 0] = 0.1
    assert fit_targets(panel, TRAIN).std[0, 0] == 1.0


def test_a_channel_that_is_0_in_training_keeps_its_size() -> None:
    panel = _panel()
    panel.values[:60, 0] = 0
    assert fit_targets(panel, TRAIN).size[0, 0] == 1.0


def test_a_channel_that_one_series_never_observed_is_left_as_it_is() -> None:
    panel = _panel()
    panel.observed[:60, 1] = False
    scaler = fit_targets(panel, TRAIN)
    assert (scaler.mean[0, 1], scaler.std[0, 1], scaler.size[0, 1]) == (0, 1, 1)


def test_a_channel_never_observed_in_training_is_an_error_naming_it() -> None:
    panel = _panel()
    panel.observed[np.r_[0:42, 65:123], 1] = False
    with pytest.raises(ValueError, match="none in 'b'; remove it"):
        fit_targets(panel, TRAIN)


def test_a_panel_without_other_columns_has_scalers_of_width_0() -> None:
    scalers = fit_scalers(make_panel((60, 90)), TRAIN)
    assert scalers.covariates.mean.shape == scalers.known.std.shape == scalers.static.size.shape == (1, 0)


def test_mean_scaling_divides_by_the_mean_size_and_keeps_zero() -> None:
    scaler = fit_targets(_panel(), TRAIN)
    loc, scale = scaler.affine("mean")
    assert not loc.any()
    np.testing.assert_array_equal(scale, scaler.size)


def test_no_scaling_changes_nothing() -> None:
    panel = _panel()
    loc, scale = fit_targets(panel, TRAIN).affine("none")
    np.testing.assert_array_equal(scaled(panel.values, loc, scale, panel.offsets), panel.values.astype(np.float32))


@pytest.mark.parametrize("level", [0.0, 1e6])
def test_scaled_values_are_the_nearest_float32_of_the_float64_ones(level: float) -> None:
    panel = _panel()
    panel.values[:] += level
    scaler = fit_targets(panel, TRAIN)
    series = np.repeat([0, 1], [60, 90])
    expected = ((panel.values - scaler.mean[series]) / scaler.std[series]).astype(np.float32)
    np.testing.assert_array_equal(scaled(panel.values, scaler.mean, scaler.std, panel.offsets), expected)


def test_scalers_come_back_from_json_bit_for_bit() -> None:
    scalers = fit_scalers(_panel(), TRAIN)
    back = Scalers.from_json(scalers.to_json())
    for kind in vars(scalers):
        for name in ("mean", "std", "size"):
            np.testing.assert_array_equal(getattr(getattr(back, kind), name), getattr(getattr(scalers, kind), name))
