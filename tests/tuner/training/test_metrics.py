"""Metrics against public libraries (scoringrules 0.10, utilsforecast 0.2.17, numpy), and against values worked by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import scoringrules
from hypothesis import given, settings
from hypothesis import strategies as st
from utilsforecast import losses

from datasets.base import FloatArray
from datasets.windows.prepared import PreparedData
from datasets.windows.windowing import score_origins, series_of
from tests.models.floors.data import floor_data, futures
from tuner.study.metrics import METRICS
from tuner.training.metrics import ErrorSums, Score, crps, mase_scales, mean_score

RNG = np.random.default_rng(0)
LENGTHS, CUTS, H = (90, 150, 70), [(60, 75, 90), (90, 130, 150), (50, 60, 70)], 4
LEVELS = (1.0, 1e3, 1e-2)
TABLES = [RNG.normal(3.0, 1.0, (n, 2)).cumsum(0) * level for n, level in zip(LENGTHS, LEVELS, strict=True)]
DATA = floor_data(TABLES, CUTS, H, frequency="MS")
STAGE = DATA.stages[0]
ORIGINS = score_origins(STAGE, DATA.offsets, H).all()
SERIES = series_of(ORIGINS, DATA.offsets)
TRUTH = futures(DATA, ORIGINS)
STD = STAGE.scalers.targets.std[SERIES][:, None]
PATHS = TRUTH[:, None] + RNG.normal(0.1, 1.0, (len(SERIES), 20, H, 2)) * STD[:, None]
MEAN, MEDIAN = PATHS.mean(1), np.median(PATHS, axis=1)
ROWS = ORIGINS[:, None] + np.arange(1, H + 1)
ALL = np.ones_like(DATA.observed)
SOME = RNG.random(ALL.shape) > 0.3
SEEN = SOME[ROWS]  # (n, H, C)


def scored(
    paths: FloatArray = PATHS,
    observed: np.ndarray = ALL,
    sizes: tuple[int, ...] = (len(SERIES),),
    data: PreparedData = DATA,
    loss: FloatArray | None = None,
    block: int = 10 * H * 2,
) -> Score:
    """The score of forecasts that come in batches of these sizes, the last of them as often as it takes."""
    data = replace(data, observed=observed)
    sums, start = ErrorSums(data, data.stages[0], block=block), 0
    sizes += (sizes[-1],) * (len(SERIES) // sizes[-1])
    for size in sizes:
        part = slice(start, start + size)
        sums.add(ORIGINS[part], paths[part], None if loss is None else loss[part])
        start += size
    return sums.score()


def came(values: float, series: int | None = None, channel: int = 0) -> PreparedData:
    """The data, but what is scored in a channel of a series, or everywhere, is one value."""
    changed = DATA.values.copy()
    if series is None:
        changed[:] = values
    else:
        changed[ROWS[series == SERIES], channel] = values
    return replace(DATA, values=changed)


def by_hand(truth: list[float], paths: list[list[float]], train: list[float] | None = None, channels: int = 1) -> Score:
    """The score of one window of one series, values by step and channel; each path is a list of them."""
    steps = len(truth) // channels
    rows = np.array([*(train or [0.0, 1.0] * channels), *truth, *truth], dtype=np.float64).reshape(-1, channels)
    n = len(rows) - 2 * steps
    data = floor_data([rows], [(n, n + steps, n + 2 * steps)], steps, frequency="YE")
    sums = ErrorSums(data, data.stages[0])
    sums.add(np.array([n - 1]), np.array(paths, dtype=np.float64).reshape(1, len(paths), steps, channels))
    return sums.score()


def long_table(forecast: FloatArray) -> pd.DataFrame:
    """One series for each pair of series and channel, a row for each scored value."""
    names = [[f"{s}{c}" for c in "ab"] for s in SERIES]
    ids = np.broadcast_to(np.array(names)[:, None], TRUTH.shape).ravel()
    return pd.DataFrame({"unique_id": ids, "ds": np.arange(len(ids)), "y": TRUTH.ravel(), "model": forecast.ravel()})


def test_of_whole_numbers_the_rounded_mean_and_median_are_scored() -> None:
    whole = replace(DATA, whole_numbers=True)
    paths = np.where(np.arange(20)[:, None, None] < 10, 0.4, 1.1) + np.zeros_like(PATHS)  # mean and median are .75
    metrics, ones = scored(paths, data=whole).metrics, scored(np.ones_like(PATHS)[:, :1]).metrics
    for name in ("mse_scaled", "mae_scaled", "mae", "rmse", "mase", "smape", "rse"):
        assert metrics[name] == pytest.approx(ones[name]), name


def test_of_whole_numbers_rounded_paths_are_the_distribution_that_is_scored() -> None:
    whole, rounded = scored(data=replace(DATA, whole_numbers=True)).metrics, scored(np.rint(PATHS)).metrics
    assert whole["crps"] == rounded["crps"] != scored().metrics["crps"]
    assert whole["crps_sum"] == rounded["crps_sum"] != scored().metrics["crps_sum"]


@pytest.mark.parametrize("observed", [ALL, SOME])
def test_of_whole_numbers_rounded_quantiles_are_scored(observed: np.ndarray) -> None:
    whole = replace(came(1.0), whole_numbers=True)
    paths = np.where(np.arange(20)[:, None, None] < 10, 0.6, 1.4) + np.zeros_like(PATHS)  # all quantiles round to 1
    metrics = scored(paths, observed, data=whole).metrics
    assert {name: metrics[name] for name in ("coverage_80", "coverage_95", "q_risk_90", "crps", "mae")} == {
        "coverage_80": 1.0, "coverage_95": 1.0, "q_risk_90": 0.0, "crps": 0.0, "mae": 0.0
    }  # fmt: skip
    apart = np.where(np.arange(20)[:, None, None] < 10, 1.1, 1.4) + np.zeros_like(PATHS)
    assert scored(apart, observed, data=whole).metrics["coverage_80"] == 1.0
    assert scored(apart, observed, data=came(1.0)).metrics["coverage_80"] == 0.0


def test_of_whole_numbers_a_point_forecast_is_rounded() -> None:
    point = PATHS[:, :1]
    assert scored(point, data=replace(DATA, whole_numbers=True)) == scored(np.rint(point))
    assert scored(point) != scored(np.rint(point))


def test_every_metric_has_a_value() -> None:
    assert list(scored(loss=np.ones_like(TRUTH)).metrics) == list(METRICS)


def test_pooled_metrics_are_means_over_the_observed_values_of_all_series() -> None:
    squared, absolute = (np.where(SEEN, part, np.nan) for part in ((TRUTH - MEAN) ** 2, np.abs(TRUTH - MEDIAN)))
    expected = {
        "mse_scaled": np.nanmean(squared / STD**2),
        "mae_scaled": np.nanmean(absolute / STD),
        "rmse": np.sqrt(np.nanmean(squared)),
        "mae": np.nanmean(absolute),
        "q_risk_50": np.nansum(absolute) / np.abs(TRUTH[SEEN]).sum(),
    }
    metrics = scored(observed=SOME).metrics
    assert {name: metrics[name] for name in expected} == pytest.approx(expected, rel=1e-12)


def test_original_units_of_series_of_two_scales_by_hand() -> None:
    data = floor_data([np.array([[0.0], [2], [1], [0]]), np.array([[0.0], [200], [100], [0]])], [(2, 3, 4)] * 2, 1, "YE")
    sums = ErrorSums(data, data.stages[0])
    sums.add(np.array([1, 5]), np.array([2.0, 110.0]).reshape(2, 1, 1, 1))
    metrics = sums.score().metrics
    expected = {"mae": 5.5, "rmse": np.sqrt(50.5), "mae_scaled": 0.55, "mse_scaled": 0.505, "mase": (1 / 2 + 10 / 200) / 2}
    assert {name: metrics[name] for name in expected} == pytest.approx(expected)


@pytest.mark.parametrize("n_paths", [1, 2, 7, 20])
def test_crps_is_that_of_scoringrules(n_paths: int) -> None:
    paths = PATHS[:, :n_paths]
    expected = scoringrules.crps_ensemble(TRUTH, paths, m_axis=1, estimator="nrg")
    assert crps(paths, TRUTH) == pytest.approx(expected, rel=1e-9, abs=1e-12)
    metrics = scored(paths).metrics
    assert metrics["crps"] == pytest.approx(expected.mean())
    assert metrics["crps_scaled"] == pytest.approx((expected / STD).mean())


def test_crps_of_the_sum_over_channels_is_that_of_scoringrules() -> None:
    total = scoringrules.crps_ensemble(TRUTH.sum(-1), PATHS.sum(-1), m_axis=1, estimator="nrg").sum()
    assert scored().metrics["crps_sum"] == pytest.approx(total / np.abs(TRUTH.sum(-1)).sum())


def test_what_was_not_observed_is_not_in_the_sum_over_channels() -> None:
    truth, paths = np.where(SEEN, TRUTH, 0).sum(-1), np.where(SEEN[:, None], PATHS, 0).sum(-1)
    total = scoringrules.crps_ensemble(truth, paths, m_axis=1, estimator="nrg").sum()
    assert scored(observed=SOME).metrics["crps_sum"] == pytest.approx(total / np.abs(truth).sum())


@pytest.mark.parametrize("n_paths", [1, 20])
def test_q_risk_is_twice_the_quantile_score_of_scoringrules(n_paths: int) -> None:
    paths = PATHS[:, :n_paths]
    for name, level in (("q_risk_50", 0.5), ("q_risk_90", 0.9)):
        expected = 2 * scoringrules.quantile_score(TRUTH, np.quantile(paths, level, axis=1), level).sum()
        assert scored(paths).metrics[name] == pytest.approx(expected / np.abs(TRUTH).sum())


def test_mase_is_that_of_utilsforecast() -> None:
    rows = [table[:end] for table, (end, _, _) in zip(TABLES, CUTS, strict=True)]
    train = [pd.DataFrame({"unique_id": f"{s}{c}", "ds": np.arange(-999, len(r) - 999), "y": r[:, i]})
             for s, r in enumerate(rows) for i, c in enumerate("ab")]  # fmt: skip
    expected = losses.mase(long_table(MEDIAN), models=["model"], seasonality=12, train_df=pd.concat(train))
    assert scored().metrics["mase"] == pytest.approx(expected["model"].mean(), rel=1e-12)


def test_smape_is_that_of_utilsforecast_with_monashs_factor_of_2() -> None:
    expected = losses.smape(long_table(MEDIAN), models=["model"])
    assert scored().metrics["smape"] == pytest.approx(2 * expected["model"].mean(), rel=1e-12)


def test_corr_is_the_mean_of_numpys_correlations() -> None:
    pairs = [
        np.corrcoef(TRUTH[s == SERIES][..., c][SEEN[s == SERIES][..., c]], MEAN[s == SERIES][..., c][SEEN[s == SERIES][..., c]])
        for s in range(3)
        for c in range(2)
    ]
    assert scored(observed=SOME).metrics["corr"] == pytest.approx(np.mean([pair[0, 1] for pair in pairs]), rel=1e-10)


def test_rse_compares_with_the_mean_of_all_that_is_scored() -> None:
    expected = np.sqrt(((TRUTH - MEAN)[SEEN] ** 2).sum() / ((TRUTH[SEEN] - TRUTH[SEEN].mean()) ** 2).sum())
    assert scored(observed=SOME).metrics["rse"] == pytest.approx(expected, rel=1e-10)
    assert by_hand([1, 3], [[2, 2]]).metrics["rse"] == pytest.approx(1.0)


@pytest.mark.parametrize("observed", [ALL, SOME])
def test_rae_compares_with_the_mean_of_all_that_is_scored(observed: np.ndarray) -> None:
    seen = observed[ROWS]
    score = scored(observed=observed)
    expected = np.abs(TRUTH - MEDIAN)[seen].sum() / np.abs(TRUTH[seen] - TRUTH[seen].mean()).sum()
    assert score.metrics["rae"] == pytest.approx(expected, rel=1e-10)
    truth, median = (part[..., 1][seen[..., 1]] for part in (TRUTH, MEDIAN))
    expected = np.abs(truth - median).sum() / np.abs(truth - truth.mean()).sum()
    assert score.by_channel["rae"][DATA.channels[1]] == pytest.approx(expected, rel=1e-10)


@pytest.mark.filterwarnings("ignore:Mean of empty slice")
def test_means_and_medians_of_series_are_those_of_their_numbers() -> None:
    observed = SOME.copy()
    observed[ROWS[SERIES == 1], 1] = False  # a pair without a number
    absolute, squared = (np.where(observed[ROWS], part, np.nan) for part in (np.abs(TRUTH - MEDIAN), (TRUTH - MEAN) ** 2))
    absolute, squared = (np.array([np.nanmean(p[s == SERIES], (0, 1)) for s in range(3)]) for p in (absolute, squared))
    mase = absolute / mase_scales(replace(DATA, observed=observed), STAGE)
    score = scored(observed=observed)
    for name, numbers in (("mae", absolute), ("rmse", np.sqrt(squared)), ("mase", mase)):
        assert score.metrics[f"{name}_median"] == pytest.approx(np.nanmedian(numbers))
        of_channels = list(score.by_channel[f"{name}_median"].values())
        assert of_channels == pytest.approx(np.nanmedian(numbers, axis=0))
    assert score.metrics["rmse_mean"] == pytest.approx(np.nanmean(np.sqrt(squared)))


def test_the_median_of_smape_is_that_of_utilsforecast_with_monashs_factor_of_2() -> None:
    expected = losses.smape(long_table(MEDIAN), models=["model"])
    assert scored().metrics["smape_median"] == pytest.approx(2 * expected["model"].median(), rel=1e-12)


def test_a_mean_over_series_can_be_far_from_a_median() -> None:
    paths = TRUTH[:, None].copy()
    paths[SERIES == 1] += 1e6
    metrics = scored(paths).metrics
    assert (metrics["mae_median"], metrics["msmape_median"]) == (0, 0)
    assert metrics["rmse_mean"] == pytest.approx(1e6 / 3)


def test_q_risk_by_hand() -> None:
    metrics = by_hand([10, -30], [[14, -40]]).metrics
    assert metrics["q_risk_50"] == pytest.approx((4 + 10) / 40)
    assert metrics["q_risk_90"] == pytest.approx(2 * (0.1 * 4 + 0.9 * 10) / 40)


def test_coverage_by_hand() -> None:
    paths = [[float(i)] * 5 for i in range(11)]  # quantile q at 10 q
    metrics = by_hand([0.2, 0.5, 1.0, 9.0, 9.6], paths).metrics
    assert metrics["coverage_80"] == pytest.approx(2 / 5)
    assert metrics["coverage_95"] == pytest.approx(4 / 5)


def test_what_was_not_observed_is_not_covered() -> None:
    covered = ((np.quantile(PATHS, 0.1, axis=1) <= TRUTH) & (np.quantile(PATHS, 0.9, axis=1) >= TRUTH))[SEEN]
    assert scored(observed=SOME).metrics["coverage_80"] == pytest.approx(covered.mean())


def test_smape_of_0_and_0_is_0() -> None:
    assert by_hand([0, 1], [[0, 3]]).metrics["smape"] == pytest.approx((0 + 2 * 2 / 4) / 2)


def test_msmape_has_a_floor_under_what_it_divides_by() -> None:
    assert by_hand([0, 0.1, 2], [[0, 0.3, 4]]).metrics["msmape"] == pytest.approx((0 + 2 * 0.2 / 0.6 + 2 * 2 / 6.1) / 3)


def test_one_path_is_a_point() -> None:
    metrics = scored(PATHS[:, :1]).metrics
    assert metrics["crps"] == metrics["mae"]
    assert metrics["coverage_95"] == 0


def test_the_loss_is_a_mean_over_observed_values_and_only_there_if_given() -> None:
    loss = RNG.random(TRUTH.shape)
    assert scored(observed=SOME, loss=loss).metrics["loss"] == pytest.approx(loss[SEEN].mean())
    assert "loss" not in scored().metrics


@pytest.mark.parametrize("n_paths", [1, 5])
@given(sizes=st.lists(st.integers(1, 40), min_size=1, max_size=5).map(tuple))
@settings(max_examples=20, deadline=None)
def test_metrics_are_bit_equal_however_windows_are_batched(n_paths: int, sizes: tuple[int, ...]) -> None:
    assert scored(PATHS[:, :n_paths], SOME, sizes=sizes) == scored(PATHS[:, :n_paths], SOME)


@pytest.mark.parametrize("observed", [ALL, SOME])
@pytest.mark.parametrize("n_windows", [1, 7, 999])
def test_metrics_are_the_same_at_every_size_of_block(observed: np.ndarray, n_windows: int) -> None:
    other = scored(observed=observed, block=n_windows * H * 2).metrics
    assert other == pytest.approx(scored(observed=observed).metrics, rel=1e-10)


def test_what_was_not_observed_does_not_count() -> None:
    scored_rows = np.zeros_like(SOME)
    scored_rows[ROWS] = True
    data = replace(DATA, values=np.where(SOME | ~scored_rows, DATA.values, np.nan))
    assert scored(np.where(SEEN[:, None], PATHS, 1e9), SOME, data=data) == scored(observed=SOME)


def test_nothing_observed_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one observed value"):
        scored(observed=~ALL)


def test_a_channel_counts_as_it_would_alone() -> None:
    score = scored(observed=SOME)
    for c, channel in enumerate(DATA.channels):
        only = np.zeros_like(SOME)
        only[..., c] = SOME[..., c]
        alone = scored(observed=only).metrics
        mine = {name: values[channel] for name, values in score.by_channel.items()}
        assert mine == pytest.approx({name: alone[name] for name in mine}, rel=1e-10)
    assert set(score.by_channel) == set(METRICS) - {"crps_sum", "loss"}


def test_a_step_counts_as_it_would_alone() -> None:
    score, (start, end) = scored(observed=SOME), STAGE.score.T
    for h in range(H):
        moved = replace(STAGE, score=np.stack([start + h, end - H + 1 + h], 1))
        data = replace(DATA, horizon=1, observed=SOME)
        sums = ErrorSums(data, moved)
        sums.add(ORIGINS + h, PATHS[:, :, h : h + 1])
        alone = sums.score().metrics
        mine = {name: values[h] for name, values in score.by_step.items()}
        assert mine == pytest.approx({name: alone[name] for name in mine}, rel=1e-10)
    of_series = {"mase", "smape", "msmape", "corr", *(name for name in METRICS if name.endswith(("_mean", "_median")))}
    assert set(score.by_step) == set(METRICS) - of_series - {"rse", "rae", "loss"}


def test_the_last_step_alone_is_scored_if_it_alone_counts() -> None:
    start, end = STAGE.score.T
    sums = ErrorSums(replace(DATA, horizon=1, observed=SOME), replace(STAGE, score=np.stack([start + H - 1, end], 1)))
    sums.add(ORIGINS + H - 1, PATHS[:, :, H - 1 :])
    score, alone = scored(observed=SOME, data=replace(DATA, first_counted=H - 1)), sums.score()
    same = {name for name in alone.metrics if not name.startswith("mase")}  # whose scale ends where what is scored begins
    assert {name: score.metrics[name] for name in same} == pytest.approx({name: alone.metrics[name] for name in same})
    assert score.by_step["mae"] == [None, None, None, pytest.approx(alone.metrics["mae"])]


def test_a_channel_or_step_without_a_value_has_none() -> None:
    some = ALL.copy()
    some[:, 1] = False
    assert list(scored(observed=some).by_channel["mae"]) == [DATA.channels[0]]
    last = scored(data=replace(DATA, first_counted=2))
    assert [value is None for value in last.by_step["mae"]] == [True, True, False, False]


def test_pairs_without_a_mase_are_dropped_and_counted() -> None:
    values = DATA.values.copy()
    values[DATA.offsets[1] : DATA.offsets[1] + 90, 0] = 7.0
    score = scored(data=replace(DATA, values=values))
    assert score.n_dropped == {"mase": 1, "corr": 0}
    others = [scored().by_channel["mase"][DATA.channels[1]], score.by_channel["mase"][DATA.channels[0]]]
    assert score.metrics["mase"] == pytest.approx((3 * others[0] + 2 * others[1]) / 5)


@pytest.mark.parametrize("level", [0.1, 1e6, -3.0, 0.0])
def test_pairs_with_a_constant_truth_have_no_corr(level: float) -> None:
    assert scored(data=came(level, series=0)).n_dropped == {"mase": 0, "corr": 1}


@pytest.mark.parametrize("level", [0.1, 1e6, -3.0, 0.0])
def test_a_constant_forecast_has_a_corr_of_0_so_that_giving_up_does_not_pay(level: float) -> None:
    score = scored(np.full_like(PATHS, level))
    assert (score.metrics["corr"], score.n_dropped["corr"]) == (0.0, 0)


@pytest.mark.parametrize("level", [0.0, 0.1, 1 / 3, 1e6 / 7])
def test_the_same_truth_everywhere_has_neither_rse_nor_rae(level: float) -> None:
    score = scored(observed=SOME, data=came(level))
    assert not {"rse", "rae"} & set(score.metrics)
    assert (score.by_channel["rse"], score.by_channel["rae"]) == ({}, {})


@pytest.mark.filterwarnings("error")
def test_a_metric_that_would_divide_by_0_is_left_out() -> None:
    metrics = by_hand([5, 5], [[5, 5]], train=[5, 5]).metrics
    assert not {"mase", "mase_median", "corr", "rse", "rae"} & set(metrics)
    assert not {"q_risk_50", "q_risk_90", "crps_sum"} & set(by_hand([0, 0], [[1, 2]]).metrics)
    assert metrics["mae"] == 0


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("n_paths", [1, 20])
@pytest.mark.filterwarnings("error")
def test_forecasts_that_are_not_finite_show_in_every_mean(bad: float, n_paths: int) -> None:
    paths = PATHS[:, :n_paths].copy()
    paths[SERIES == 1] = bad
    metrics = scored(paths).metrics
    finite = {name for name, value in metrics.items() if np.isfinite(value)}
    assert finite <= {"coverage_80", "coverage_95"}


def test_windows_of_a_series_must_follow_each_other() -> None:
    sums = ErrorSums(DATA, STAGE)
    sums.add(ORIGINS[::-1], PATHS)
    with pytest.raises(AssertionError, match="sorted by series"):
        sums.score()


def test_a_mase_scale_is_a_mean_step_of_a_season() -> None:
    rows = np.arange(30.0)[:, None] ** 2
    data = floor_data([rows, 3 * rows], [(20, 25, 30)] * 2, 5, frequency="MS")
    expected = np.mean([rows[i + 12] - rows[i] for i in range(8)])
    assert mase_scales(data, data.stages[0]) == pytest.approx(np.array([[expected], [3 * expected]]))


def test_a_mase_scale_of_less_than_a_season_takes_single_steps() -> None:
    data = floor_data([np.array([[1.0], [4], [2], [9], [0], [0]])] * 2, [(4, 5, 6)] * 2, 1, frequency="MS")
    assert mase_scales(data, data.stages[0]) == pytest.approx(np.full((2, 1), (3 + 2 + 7) / 3))


def test_a_mase_scale_knows_all_rows_before_the_scored_ones() -> None:
    rows = np.array([[1.0], [4], [2], [9], [0]])
    data = floor_data([rows], [(3, 4, 5)], 1, frequency="YE")
    assert [mase_scales(data, stage)[0, 0] for stage in data.stages] == [(3 + 2) / 2, (3 + 2 + 7) / 3]


def test_a_mase_scale_takes_only_pairs_that_were_both_observed() -> None:
    observed = np.array([True, True, False, True, True, True, True])[:, None]
    data = floor_data([np.array([[1.0], [4], [99], [9], [10], [0], [0]])], [(5, 6, 7)], 1, "YE", observed)
    assert mase_scales(data, data.stages[0])[0, 0] == (3 + 1) / 2


def test_the_mean_of_scores_takes_each_stage_once() -> None:
    scores = [scored(observed=ALL), scored(observed=SOME)]
    score = mean_score(scores)
    one, other = (each.metrics["mae"] for each in scores)
    assert score.metrics["mae"] == (one + other) / 2
    assert score.by_step["mae"][1] == pytest.approx((scores[0].by_step["mae"][1] + scores[1].by_step["mae"][1]) / 2)
    assert score.n_windows == 2 * len(SERIES)
    assert mean_score(scores[:1]) == scores[0]


def test_the_mean_of_scores_leaves_out_what_a_stage_lacks() -> None:
    whole = scored()
    rest = {name: value for name, value in whole.metrics.items() if name != "corr"}
    part = replace(whole, metrics=rest, by_step={"mae": [None, *whole.by_step["mae"][1:]]}, n_dropped={"mase": 2, "corr": 6})
    score = mean_score([whole, part])
    assert score.metrics == pytest.approx(rest)
    assert list(score.by_step) == ["mae"]
    assert score.by_step["mae"][0] is None
    assert score.n_dropped == {"mase": 2, "corr": 6}
