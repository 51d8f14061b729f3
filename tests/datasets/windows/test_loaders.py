from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.config import Borders
from datasets.windows.loaders import ScoreLoader, TrainLoader, WindowSource
from datasets.windows.prepare import prepare, prepare_history
from datasets.windows.prepared import PreparedData
from datasets.windows.windowing import score_origins, series_of, train_origins
from tests.datasets.panels import make_panel

HORIZON = 4
ORDER_OF_SEED_0 = [3, 6, 7, 8, 4, 2, 5, 9]


def _data(lengths: tuple[int, ...] = (100,), missing: float = 0.0) -> PreparedData:
    return prepare(make_panel(lengths, missing=missing), Borders.from_fractions, HORIZON, test=False)


def _loader(n: int = 40, batch_size: int = 8, windows_per_epoch: int | None = None, seed: int = 7) -> TrainLoader:
    return TrainLoader(WindowSource(_data(), 3, HORIZON), np.arange(2, n + 2), batch_size, windows_per_epoch, seed)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 20), st.sampled_from([0.0, 0.2]), st.sampled_from([(100,), (60, 90)]))
def test_a_gathered_batch_equals_plain_slices(lookback: int, missing: float, lengths: tuple[int, ...]) -> None:
    data = _data(lengths, missing)
    origins = train_origins(data.stages[0], data.offsets, lookback, HORIZON)[::5].copy()
    batch = WindowSource(data, lookback, HORIZON).batch(torch.from_numpy(origins))
    for i, origin in enumerate(origins):
        past, future = slice(origin - lookback + 1, origin + 1), slice(origin + 1, origin + HORIZON + 1)
        np.testing.assert_array_equal(batch.inputs.past_target[i], data.values[past])
        np.testing.assert_array_equal(batch.inputs.past_observed[i], data.observed[past])
        np.testing.assert_array_equal(batch.inputs.past_known[i], data.known[past])
        np.testing.assert_array_equal(batch.inputs.future_known[i], data.known[future])
        np.testing.assert_array_equal(batch.future_target[i], data.values[future])
        np.testing.assert_array_equal(batch.future_observed[i], data.observed[future])


@pytest.mark.parametrize("lengths", [(100,), (60, 90)])
def test_loc_and_scale_turn_a_window_back_into_original_units(lengths: tuple[int, ...]) -> None:
    panel, data = make_panel(lengths), _data(lengths)
    origins = train_origins(data.stages[0], data.offsets, 1, HORIZON)  # the first row of each series among them
    inputs = WindowSource(data, 1, HORIZON).batch(torch.from_numpy(origins)).inputs
    series = series_of(origins, data.offsets)
    rows = (origins - data.offsets[series] + panel.offsets[series])[:, None]
    np.testing.assert_allclose(inputs.past_target * inputs.scale + inputs.loc, panel.values[rows], rtol=0, atol=1e-5)


def test_fields_that_a_panel_lacks_have_width_0() -> None:
    inputs = WindowSource(_data(), 5, HORIZON).batch(torch.tensor([10, 11, 12])).inputs
    assert inputs.past_covariates.shape == (3, 5, 0)
    assert inputs.past_lags.shape == (3, 5, 2, 0)
    assert inputs.static.shape == inputs.static_categories.shape == (3, 0)
    assert inputs.static_categories.dtype == torch.int64
    assert inputs.loc.shape == inputs.scale.shape == (3, 1, 2)


def test_a_panel_without_calendar_features_gives_known_of_width_0() -> None:
    data = replace(_data(), known=np.zeros((80, 0), np.float32))
    inputs = WindowSource(data, 5, HORIZON).batch(torch.tensor([10, 11])).inputs
    assert inputs.past_known.shape == (2, 5, 0)
    assert inputs.future_known.shape == (2, HORIZON, 0)


def test_read_only_arrays_are_shared_without_a_warning_or_a_copy() -> None:
    data = _data()
    data.values.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        source = WindowSource(data, 5, HORIZON)
    assert source._past[0].data_ptr() == data.values.__array_interface__["data"][0]


@pytest.mark.parametrize("batch_size", [1, 7, 512])
def test_a_score_loader_gives_every_window_once_and_in_order(batch_size: int) -> None:
    data = _data()
    origins = score_origins(data.stages[0], data.offsets, HORIZON)
    loader = ScoreLoader(WindowSource(data, 5, HORIZON), origins, batch_size)
    batches = list(loader)
    assert len(batches) == len(loader)
    np.testing.assert_array_equal(torch.cat([b.inputs.past_target[:, -1] for b in batches]), data.values[origins])


@pytest.mark.parametrize("lookback", [1, 30, 70])
def test_scored_targets_do_not_move_with_the_lookback(lookback: int) -> None:
    data = _data()
    loader = ScoreLoader(WindowSource(data, lookback, HORIZON), score_origins(data.stages[0], data.offsets, HORIZON), 64)
    windows = np.lib.stride_tricks.sliding_window_view(data.values[70:80], HORIZON, axis=0).swapaxes(1, 2)
    np.testing.assert_array_equal(torch.cat([batch.future_target for batch in loader]), windows)


def test_a_loader_refuses_a_lookback_that_reaches_before_the_series() -> None:
    data = _data()
    with pytest.raises(ValueError, match="use 70 or less"):
        ScoreLoader(WindowSource(data, 71, HORIZON), score_origins(data.stages[0], data.offsets, HORIZON), 8)


@given(st.integers(1, 60), st.integers(1, 90))
def test_epochs_cut_one_stream_of_whole_permutations(n: int, windows_per_epoch: int) -> None:
    loader = _loader(n, windows_per_epoch=windows_per_epoch)
    stream = np.concatenate([loader.order(epoch) for epoch in range(-(-3 * n // windows_per_epoch))])
    for page in stream[: 3 * n].reshape(3, n):
        np.testing.assert_array_equal(np.sort(page), loader.origins)


def test_the_next_permutation_is_another_one() -> None:
    loader = _loader()
    assert (loader.order(0) != loader.order(1)).any()


def test_the_order_is_a_function_of_the_seed() -> None:
    np.testing.assert_array_equal(_loader(seed=1).order(3), _loader(seed=1).order(3))
    assert (_loader(seed=1).order(3) != _loader(seed=2).order(3)).any()


def test_a_fresh_loader_at_an_epoch_equals_one_that_ran_through() -> None:
    old, fresh = _loader(windows_per_epoch=30), _loader(windows_per_epoch=30)
    for epoch in range(3):
        old.set_epoch(epoch)
        targets = torch.cat([batch.future_target for batch in old])
    fresh.set_epoch(2)
    torch.testing.assert_close(torch.cat([batch.future_target for batch in fresh]), targets, rtol=0, atol=0)


def test_the_order_of_a_seed_never_changes() -> None:
    assert _loader(8, seed=0).order(0).tolist() == ORDER_OF_SEED_0


def test_an_epoch_keeps_its_last_short_batch() -> None:
    loader = _loader(40, batch_size=16, windows_per_epoch=37)
    assert [batch.size for batch in loader] == [16, 16, 5]
    assert len(loader) == 3


def test_the_window_after_the_last_row_has_the_calendar_and_nothing_observed() -> None:
    panel = make_panel((50,))
    data = prepare_history(panel, _data().scaler, HORIZON)
    (batch,) = ScoreLoader(WindowSource(data, 50, HORIZON), score_origins(data.stages[0], data.offsets, HORIZON), 8)
    np.testing.assert_allclose(
        batch.inputs.past_target[0] * batch.inputs.scale[0] + batch.inputs.loc[0], panel.values, rtol=1e-5
    )
    assert batch.inputs.past_observed.all()
    assert not batch.future_observed.any()
    hours = (batch.inputs.future_known[0, :, 0] + 0.5) * 23
    np.testing.assert_allclose(hours, [2, 3, 4, 5], atol=1e-5)  # row 50 of an hourly series from midnight on


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_a_batch_gathered_on_the_gpu_equals_one_of_the_cpu(missing: float) -> None:
    data = _data((60, 90), missing)
    origins = torch.from_numpy(score_origins(data.stages[0], data.offsets, HORIZON))
    near, far = (WindowSource(data, 5, HORIZON, device).batch(origins.to(device)) for device in ("cpu", "cuda"))
    assert far.future_target.is_cuda
    for field in vars(near.inputs):
        torch.testing.assert_close(getattr(far.inputs, field).cpu(), getattr(near.inputs, field), rtol=0, atol=0)
    torch.testing.assert_close(far.future_target.cpu(), near.future_target, rtol=0, atol=0)
