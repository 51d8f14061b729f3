from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from datasets.base import Panel
from datasets.config import Borders
from datasets.windows.prepare import hash_panel, prepare
from datasets.windows.scaling import fit_scaler, inverse, transform
from datasets.windows.splits import holdout
from tests.datasets.panels import make_panel

HASH = "f51c8eba5572100d6b2d5e41df3175a5079d688dddb2a7d7a96a6cee3b409b28"
"""Of the panel in the test, as first computed."""
CUT = Borders(train_end=70, val_end=80, test_end=100)


def _changed(panel: Panel, rows: slice) -> Panel:
    values = panel.values.copy()
    values[rows] += 1000
    return replace(panel, values=values)


def test_the_scaler_does_not_know_the_rows_after_training() -> None:
    panel = make_panel()
    scalers = [fit_scaler(p, holdout(CUT)) for p in (panel, _changed(panel, slice(70, None)))]
    np.testing.assert_array_equal(scalers[0].mean, scalers[1].mean)
    np.testing.assert_array_equal(scalers[0].std, scalers[1].std)


def test_the_scaler_is_mean_and_population_deviation_of_the_observed_train_rows() -> None:
    panel = make_panel(missing=0.3)
    scaler = fit_scaler(panel, holdout(CUT))
    for c in range(2):
        seen = panel.values[:70, c][panel.observed[:70, c]]
        assert scaler.mean[0, c] == pytest.approx(seen.mean(), rel=1e-12)
        assert scaler.std[0, c] == pytest.approx(seen.std(ddof=0), rel=1e-12)


def test_every_series_has_its_own_scaler() -> None:
    panel = make_panel((60, 90))
    scaler = fit_scaler(panel, holdout(*(Borders.from_fractions(n) for n in (60, 90))))
    np.testing.assert_allclose(scaler.mean, [panel.values[:42].mean(axis=0), panel.values[60:122].mean(axis=0)])


def test_a_channel_that_is_constant_in_training_keeps_its_width() -> None:
    panel = make_panel()
    panel.values[:70, 0] = 0.1
    scaler = fit_scaler(panel, holdout(CUT))
    assert scaler.std[0, 0] == 1.0


def test_a_channel_never_observed_in_training_is_an_error_naming_it() -> None:
    panel = make_panel()
    panel.observed[:70, 1] = False
    with pytest.raises(ValueError, match="none in 'b' of series 's0'"):
        fit_scaler(panel, holdout(CUT))


@pytest.mark.parametrize("lengths", [(100,), (60, 90)])
def test_inverse_undoes_transform(lengths: tuple[int, ...]) -> None:
    panel = make_panel(lengths)
    scaler = fit_scaler(panel, holdout(*(Borders.from_fractions(n) for n in lengths)))
    back = inverse(transform(panel.values, scaler, panel.offsets), scaler, panel.offsets)
    np.testing.assert_allclose(back, panel.values, rtol=1e-12)


def test_trials_get_no_test_row() -> None:
    data = prepare(make_panel(), CUT, 4, test=False)
    assert len(data.values) == len(data.observed) == len(data.known) == data.offsets[-1] == 80
    assert [stage.name for stage in data.stages] == ["holdout"]


def test_what_trials_get_is_unchanged_by_other_test_rows() -> None:
    panel = make_panel()
    first, second = (prepare(p, CUT, 4, test=False) for p in (panel, _changed(panel, slice(80, None))))
    assert first.values.tobytes() == second.values.tobytes()
    assert first.scaler.mean.tobytes() == second.scaler.mean.tobytes()


def test_opening_the_test_rows_changes_no_other_row_and_no_scaler() -> None:
    shut, opened = (prepare(make_panel(), CUT, 4, test=test) for test in (False, True))
    np.testing.assert_array_equal(opened.values[:80], shut.values)
    np.testing.assert_array_equal(opened.known[:80], shut.known)
    np.testing.assert_array_equal(opened.scaler.std, shut.scaler.std)
    assert [stage.name for stage in opened.stages] == ["holdout", "test"]
    assert len(opened.values) == 100


def test_every_series_of_a_panel_is_cut_at_its_own_border() -> None:
    panel = make_panel((60, 90))
    data = prepare(panel, Borders.from_fractions, 4, test=False)
    assert data.offsets.tolist() == [0, 48, 120]
    expected = transform(panel.values, data.scaler, panel.offsets)[np.r_[0:48, 60:132]]
    np.testing.assert_array_equal(data.values, expected.astype(np.float32))


def test_rows_after_the_test_end_are_left_out() -> None:
    assert len(prepare(make_panel((150,)), CUT, 4, test=True).values) == 100


def test_borders_past_the_end_of_the_series_are_an_error() -> None:
    with pytest.raises(ValueError, match=r"test_end=100\) for 's0' with 99 rows"):
        prepare(make_panel((99,)), CUT, 4, test=False)


@pytest.mark.parametrize(("horizon", "test", "stage"), [(11, False, "holdout"), (11, True, "holdout"), (21, True, "holdout")])
def test_a_horizon_longer_than_a_scored_part_is_an_error(horizon: int, test: bool, stage: str) -> None:
    with pytest.raises(ValueError, match=rf"horizon={horizon} .*stage {stage}"):
        prepare(make_panel(), CUT, horizon, test=test)


def test_the_hash_is_of_the_whole_panel_whatever_is_cut() -> None:
    panel = make_panel()
    hashes = {prepare(panel, CUT, 4, test=test).sha256 for test in (False, True)}
    assert hashes == {hash_panel(panel)}


@pytest.mark.parametrize(
    "change",
    [
        {"values": make_panel(seed=1).values},
        {"observed": np.zeros((100, 2), dtype=bool)},
        {"start_times": np.array(["2024-01-02"], dtype="datetime64[ns]")},
        {"frequency": "D"},
        {"channels": ("a", "c")},
        {"series": ("other",)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_hash_changes_with_every_part_of_the_panel(change: dict) -> None:
    assert hash_panel(replace(make_panel(), **change)) != hash_panel(make_panel())


def test_the_hash_of_a_panel_never_changes() -> None:
    panel = replace(make_panel((100,)), values=np.arange(200.0).reshape(100, 2), observed=np.ones((100, 2), dtype=bool))
    assert hash_panel(panel) == HASH
    big_endian = replace(panel, values=panel.values.astype(">f8"), start_times=panel.start_times.astype("datetime64[s]"))
    assert hash_panel(big_endian) == HASH
