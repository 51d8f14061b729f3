from __future__ import annotations

import warnings
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.base import Panel
from datasets.config import DataConfig, by_fractions
from datasets.windows.batch import Batch
from datasets.windows.lags import source_lags
from datasets.windows.loaders import ScoreLoader, TrainLoader, WindowSource, permuted
from datasets.windows.prepare import prepare, prepare_history
from datasets.windows.prepared import PreparedData
from datasets.windows.scaling import fit_scalers, scaled
from datasets.windows.splits import holdout
from datasets.windows.windowing import Origins, score_origins, series_of, train_origins
from tests.datasets.panels import make_panel

HORIZON = 4
ORDER_OF_SEED_0 = [7, 4, 3, 2, 5, 6, 8, 9]
LENGTHS = st.sampled_from([(100,), (60, 90), (70, 60, 80)])


def _data(lengths: tuple[int, ...] = (100,), **parts: float) -> PreparedData:
    return _prepared(make_panel(lengths, **parts))  # type: ignore[arg-type]


def _prepared(panel: Panel) -> PreparedData:
    return prepare(panel, [holdout([by_fractions(int(n), HORIZON) for n in panel.history])], HORIZON)


def _full(lengths: tuple[int, ...] = (60, 90)) -> Panel:
    """With everything that a panel may have, and a start of its own for each series."""
    panel = make_panel(lengths, missing=0.2, n_covariates=2, n_known=1, n_static=2, n_categories=1)
    starts = panel.start_times + np.arange(len(lengths))[::-1] * np.timedelta64(5, "h")
    return replace(panel, start_times=starts)


def _source(data: PreparedData, lookback: int = 5, **config: object) -> WindowSource:
    return WindowSource(data, data.stages[0], DataConfig(lookback=lookback, **config))  # type: ignore[arg-type]


def _origins(data: PreparedData, reach: int) -> np.ndarray:
    return train_origins(data.stages[0], data.offsets, reach, HORIZON).all()


def _loader(n: int = 40, batch_size: int = 8, windows_per_epoch: int | None = None, seed: int = 7) -> TrainLoader:
    return TrainLoader(_source(_data(), 3), Origins(np.array([2]), np.array([n])), batch_size, windows_per_epoch, seed)


def _same(first: Batch, second: Batch, atol: float = 0) -> None:
    for field in vars(first.inputs):
        torch.testing.assert_close(getattr(first.inputs, field), getattr(second.inputs, field), rtol=0, atol=atol)
    torch.testing.assert_close(first.future_target, second.future_target, rtol=0, atol=atol)
    torch.testing.assert_close(first.future_observed, second.future_observed)


# A batch


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 20), st.sampled_from([0.0, 0.2]), LENGTHS)
def test_targets_and_masks_are_plain_slices(lookback: int, missing: float, lengths: tuple[int, ...]) -> None:
    data = _data(lengths, missing=missing)
    scaler = data.stages[0].scalers.targets
    values = scaled(data.values, scaler.mean, scaler.std, data.offsets)
    origins = _origins(data, lookback)[::5]
    batch = _source(data, lookback).batch(torch.from_numpy(origins.copy()))
    for i, origin in enumerate(origins):
        past, future = slice(origin - lookback + 1, origin + 1), slice(origin + 1, origin + HORIZON + 1)
        np.testing.assert_array_equal(batch.inputs.past_target[i], values[past])
        np.testing.assert_array_equal(batch.inputs.past_observed[i], data.observed[past])
        np.testing.assert_array_equal(batch.future_target[i], values[future])
        np.testing.assert_array_equal(batch.future_observed[i], data.observed[future])


def test_steps_that_do_not_count_are_as_if_nobody_had_observed_them() -> None:
    data = _data(missing=0.2)
    origins = torch.from_numpy(_origins(data, 5)[::5].copy())
    whole, last = (_source(replace(data, first_counted=first)).batch(origins) for first in (0, HORIZON - 1))
    assert not last.future_observed[:, :-1].any()
    assert torch.equal(last.future_observed[:, -1], whole.future_observed[:, -1])
    _same(replace(last, future_observed=whole.future_observed), whole)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 20), LENGTHS)
def test_known_features_are_the_calendar_of_the_series_and_then_its_own(lookback: int, lengths: tuple[int, ...]) -> None:
    data = _prepared(_full(lengths))
    scaler = data.stages[0].scalers.known
    own = scaled(data.known, scaler.mean, scaler.std, data.offsets)
    origins = _origins(data, lookback)[::7]
    inputs = _source(data, lookback).batch(torch.from_numpy(origins.copy())).inputs
    known = torch.cat([inputs.past_known, inputs.future_known], 1)
    for i, (origin, series) in enumerate(zip(origins, series_of(origins, data.offsets), strict=True)):
        rows = np.arange(origin - lookback + 1, origin + HORIZON + 1)
        hours = data.start_times[series] + (rows - data.offsets[series]) * np.timedelta64(1, "h")
        np.testing.assert_allclose((known[i, :, 0] + 0.5) * 23, hours.astype("datetime64[h]").astype(int) % 24, atol=1e-5)
        np.testing.assert_array_equal(known[i, :, 4:], own[rows])
    assert data.n_known == known.shape[2] == 5


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 20), LENGTHS)
def test_covariates_end_at_the_origin_and_static_values_are_those_of_the_series(
    lookback: int, lengths: tuple[int, ...]
) -> None:
    data = _prepared(_full(lengths))
    scalers = data.stages[0].scalers
    origins = _origins(data, lookback)[::7]
    series = series_of(origins, data.offsets)
    inputs = _source(data, lookback).batch(torch.from_numpy(origins.copy())).inputs
    covariates = scaled(data.covariates, scalers.covariates.mean, scalers.covariates.std, data.offsets)
    np.testing.assert_array_equal(inputs.past_covariates, covariates[origins[:, None] + np.arange(1 - lookback, 1)])
    static = (data.static - scalers.static.mean) / scalers.static.std
    np.testing.assert_array_equal(inputs.static, static.astype(np.float32)[series])
    np.testing.assert_array_equal(inputs.static_categories, data.static_categories[series])


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 9), st.integers(1, 30), LENGTHS)
def test_a_lag_is_the_value_so_many_steps_before_and_0_after_the_origin(
    lookback: int, longest: int, lengths: tuple[int, ...]
) -> None:
    data = _data(lengths)
    source = _source(data, lookback, lags="frequency", longest_lag=longest)
    assert max(source.lags) <= longest
    assert source.reach == lookback + max(source.lags)
    scaler = data.stages[0].scalers.targets
    values = scaled(data.values, scaler.mean, scaler.std, data.offsets)
    for origin in _origins(data, source.reach)[::9].tolist():
        inputs = source.batch(torch.tensor([origin])).inputs
        lagged = torch.cat([inputs.past_lags, inputs.future_lags], 1)[0]
        for i, t in enumerate(range(origin - lookback + 1, origin + HORIZON + 1)):
            expected = [values[t - lag] if t - lag <= origin else np.zeros(2) for lag in source.lags]
            np.testing.assert_array_equal(lagged[i], np.stack(expected, axis=1))


def test_the_first_training_window_with_lags_begins_with_its_series() -> None:
    data = _data((60, 90))
    source = _source(data, 3, lags="frequency", longest_lag=24)
    first = int(_origins(data, source.reach)[0])
    assert first == 3 + 24 - 1
    oldest = source.batch(torch.tensor([first])).inputs.past_lags[0, 0, :, -1]
    torch.testing.assert_close(oldest, _source(data, 1).batch(torch.tensor([0])).inputs.past_target[0, 0])


@pytest.mark.parametrize(("lags", "expected"), [("none", ()), ("frequency", (1, 2, 3))])
def test_a_config_says_whether_there_are_lags(lags: str, expected: tuple[int, ...]) -> None:
    assert source_lags(DataConfig(lags=lags, longest_lag=3), "h") == expected  # type: ignore[arg-type]


@pytest.mark.parametrize("lengths", [(100,), (60, 90)])
@pytest.mark.parametrize("scaling", ["standard", "mean", "none"])
def test_loc_and_scale_turn_a_window_back_into_original_units(lengths: tuple[int, ...], scaling: str) -> None:
    data = _data(lengths)
    origins = _origins(data, 1)  # the first row of each series among them
    inputs = _source(data, 1, scaling=scaling).batch(torch.from_numpy(origins)).inputs
    np.testing.assert_allclose(inputs.past_target * inputs.scale + inputs.loc, data.values[origins][:, None], atol=1e-5)


def test_a_stage_scales_by_its_own_train_rows() -> None:
    data = _data()
    scalers = fit_scalers(make_panel(seed=1), np.array([[0, 50]]))
    source = WindowSource(data, replace(data.stages[0], scalers=scalers), DataConfig(lookback=5))
    np.testing.assert_allclose(source.batch(torch.tensor([9])).inputs.loc[0], scalers.targets.mean, rtol=1e-6)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=9), st.booleans())
def test_a_window_is_the_same_alone_and_among_others(picks: list[int], lags: bool) -> None:
    data = _prepared(_full())
    source = _source(data, lags="frequency" if lags else "none", longest_lag=7)
    origins = _origins(data, source.reach)
    some = torch.from_numpy(origins[np.array(picks) % len(origins)])
    together = source.batch(some)
    for i in range(len(some)):
        alone = source.batch(some[i : i + 1])
        inputs = {name: getattr(together.inputs, name)[i : i + 1] for name in vars(together.inputs)}
        one = Batch(
            inputs=replace(together.inputs, **inputs),
            future_target=together.future_target[i : i + 1],
            future_observed=together.future_observed[i : i + 1],
        )
        _same(one, alone)


def test_a_series_gives_the_same_windows_alone_and_in_a_panel() -> None:
    alone, panel = _data((60,)), make_panel((60, 90))
    panel.values[:60] = make_panel((60,)).values
    origins = torch.from_numpy(_origins(alone, 5))
    _same(_source(alone).batch(origins), _source(_prepared(panel)).batch(origins), atol=1e-6)


def test_fields_that_a_panel_lacks_have_width_0() -> None:
    for lengths in ((100,), (60, 90)):
        inputs = _source(_data(lengths)).batch(torch.tensor([10, 11, 12])).inputs
        assert inputs.past_covariates.shape == (3, 5, 0)
        assert inputs.past_lags.shape == (3, 5, 2, 0)
        assert inputs.future_lags.shape == (3, HORIZON, 2, 0)
        assert inputs.static.shape == inputs.static_categories.shape == (3, 0)
        assert inputs.static_categories.dtype == torch.int64
        assert inputs.loc.shape == inputs.scale.shape == (3, 1, 2)


def test_a_panel_without_calendar_features_gives_known_of_width_0() -> None:
    years = replace(make_panel(), frequency="YS-JAN")
    inputs = _source(_prepared(years)).batch(torch.tensor([10, 11])).inputs
    assert inputs.past_known.shape == (2, 5, 0)
    assert inputs.future_known.shape == (2, HORIZON, 0)


def test_read_only_arrays_give_no_warning() -> None:
    data = _prepared(_full())
    for name, array in vars(data).items():
        if isinstance(array, np.ndarray):
            getattr(data, name).flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        source = _source(data)
    assert source._calendar.data_ptr() == data.calendar.__array_interface__["data"][0]


# Order


@given(st.integers(1, 300), st.integers(0, 3), st.integers(0, 5))
def test_a_permutation_holds_every_number_once(n: int, seed: int, page: int) -> None:
    assert sorted(permuted(np.arange(n), n, seed, page).tolist()) == list(range(n))


@given(st.integers(1, 1 << 40), st.data())
def test_a_place_of_a_permutation_is_worked_out_by_itself(n: int, data: st.DataObject) -> None:
    places = np.array(data.draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=9)))
    together = permuted(places, n, 3, 1)
    assert ((together >= 0) & (together < n)).all()
    assert together.tolist() == [permuted(places[i : i + 1], n, 3, 1).item() for i in range(len(places))]


@pytest.mark.parametrize("n", [7, 64])
def test_permutations_put_every_number_everywhere_equally_often(n: int) -> None:
    n_pages = 1000
    counts = np.zeros((n, n))
    for page in range(n_pages):
        counts[np.arange(n), permuted(np.arange(n), n, 1, page)] += 1
    chi_square = ((counts - n_pages / n) ** 2 / (n_pages / n)).sum()
    freedom = (n - 1) ** 2
    assert abs(chi_square - freedom) < 6 * (2 * freedom) ** 0.5


def test_neighbours_of_a_permutation_are_no_neighbours_before() -> None:
    n = 10_000
    order = permuted(np.arange(n), n, 0, 0)
    assert abs(np.corrcoef(order[:-1], order[1:])[0, 1]) < 0.05
    assert abs(np.corrcoef(order, np.arange(n))[0, 1]) < 0.05


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.integers(1, 90))
def test_epochs_cut_one_stream_of_whole_permutations(n: int, windows_per_epoch: int) -> None:
    loader = _loader(n, windows_per_epoch=windows_per_epoch)
    stream = np.concatenate([loader.order(epoch) for epoch in range(-(-3 * n // windows_per_epoch))])
    for page in stream[: 3 * n].reshape(3, n):
        np.testing.assert_array_equal(np.sort(page), loader.origins.all())


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 60), st.integers(1, 150), st.integers(0, 4), st.data())
def test_a_part_of_an_order_is_its_slice(n: int, windows_per_epoch: int, epoch: int, data: st.DataObject) -> None:
    loader = _loader(n, windows_per_epoch=windows_per_epoch)
    start = data.draw(st.integers(0, windows_per_epoch - 1))
    end = data.draw(st.integers(start + 1, windows_per_epoch))
    np.testing.assert_array_equal(loader.order(epoch, start, end), loader.order(epoch)[start:end])


@pytest.mark.parametrize("chunk", [1, 20, 1 << 16])
def test_batches_do_not_depend_on_how_much_of_the_order_is_worked_out_at_a_time(
    chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("datasets.windows.loaders._CHUNK", chunk)
    loader = _loader(40, batch_size=7, windows_per_epoch=60)
    batches = list(loader)
    assert [batch.size for batch in batches] == [7] * 8 + [4]
    expected = loader.source.batch(torch.from_numpy(loader.order(0))).future_target
    torch.testing.assert_close(torch.cat([batch.future_target for batch in batches]), expected, rtol=0, atol=0)


def test_the_next_permutation_is_another_one() -> None:
    loader = _loader()
    assert (loader.order(0) != loader.order(1)).any()


def test_the_order_is_a_function_of_the_seed() -> None:
    np.testing.assert_array_equal(_loader(seed=1).order(3), _loader(seed=1).order(3))
    assert (_loader(seed=1).order(3) != _loader(seed=2).order(3)).any()
    assert (_loader(seed=1).order(3) != _loader(seed=2).order(2)).any()


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


# Scoring


@pytest.mark.parametrize("batch_size", [1, 7, 512])
def test_a_score_loader_gives_every_window_once_and_in_order(batch_size: int) -> None:
    data = _data((60, 90))
    source, origins = _source(data), score_origins(data.stages[0], data.offsets, HORIZON)
    loader = ScoreLoader(source, origins, batch_size)
    rows, batches = zip(*loader, strict=True)
    assert len(batches) == len(loader)
    np.testing.assert_array_equal(np.concatenate(rows), origins.all())
    expected = source.batch(torch.from_numpy(origins.all())).future_target
    torch.testing.assert_close(torch.cat([batch.future_target for batch in batches]), expected, rtol=0, atol=0)


@pytest.mark.parametrize("lookback", [1, 30, 70])
def test_scored_targets_do_not_move_with_the_lookback(lookback: int) -> None:
    data = _data()
    source = _source(data, lookback, scaling="none")
    loader = ScoreLoader(source, score_origins(data.stages[0], data.offsets, HORIZON), 64)
    windows = np.lib.stride_tricks.sliding_window_view(data.values[70:80], HORIZON, axis=0).swapaxes(1, 2)
    np.testing.assert_array_equal(torch.cat([batch.future_target for _, batch in loader]), windows.astype(np.float32))


@pytest.mark.parametrize(("lookback", "lags"), [(71, "none"), (47, "frequency")])
def test_a_loader_refuses_windows_that_reach_before_the_series(lookback: int, lags: str) -> None:
    data = _data()
    source = _source(data, lookback, lags=lags, longest_lag=24)
    with pytest.raises(ValueError, match="use 70 or less"):
        ScoreLoader(source, score_origins(data.stages[0], data.offsets, HORIZON), 8)


def test_the_window_after_the_last_row_has_the_calendar_and_nothing_observed() -> None:
    panel = make_panel((50,))
    data = prepare_history(panel, _data().stages[0].scalers, HORIZON)
    ((_, batch),) = ScoreLoader(_source(data, 50), score_origins(data.stages[0], data.offsets, HORIZON), 8)
    np.testing.assert_allclose(
        batch.inputs.past_target[0] * batch.inputs.scale[0] + batch.inputs.loc[0], panel.values, rtol=1e-5
    )
    assert batch.inputs.past_observed.all()
    assert not batch.future_observed.any()
    hours = (batch.inputs.future_known[0, :, 0] + 0.5) * 23
    np.testing.assert_allclose(hours, [2, 3, 4, 5], atol=1e-5)  # row 50 of an hourly series from midnight on


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("lags", ["none", "frequency"])
def test_a_batch_gathered_on_the_gpu_equals_one_of_the_cpu(lags: str) -> None:
    data = _prepared(_full())
    config = DataConfig(lookback=5, lags=lags, longest_lag=7)  # type: ignore[arg-type]
    origins = torch.from_numpy(score_origins(data.stages[0], data.offsets, HORIZON).all())
    near, far = (WindowSource(data, data.stages[0], config, device).batch(origins.to(device)) for device in ("cpu", "cuda"))
    assert far.future_target.is_cuda
    _same(far.to(torch.device("cpu")), near)
