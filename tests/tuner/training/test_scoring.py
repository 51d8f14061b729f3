"""Scores over real windows, through the code that scores trials, exports and floors."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

import models
import models.floors
import search_spaces
from datasets.base import FloatArray, IntArray
from datasets.config import DataConfig, Scaling, last_horizons
from datasets.windows.batch import Batch, Inputs
from datasets.windows.loaders import WindowSource
from datasets.windows.prepare import prepare
from datasets.windows.prepared import PreparedData
from datasets.windows.splits import final_test, holdout
from datasets.windows.windowing import score_origins, series_of
from models.base import Forecast, Forecaster, WindowShape
from models.floors.linear_closed_form import LinearClosedForm
from models.floors.naive import Naive
from models.heads import make_head
from models.heads.base import Head
from models.heads.draws import Draws
from tests.datasets.panels import make_panel
from tests.models.floors.data import floor_data, futures
from tests.models.originals import skip_unless_installed
from tests.tuner.training.data import etth1, synthetic
from tuner.study.metrics import METRICS
from tuner.study.schema import defaults_of
from tuner.study.trial import Decision, Report
from tuner.training.evaluate import evaluate_weights
from tuner.training.metrics import Score
from tuner.training.network import Network, build
from tuner.training.scoring import batch_size_for, check_defined, score_floor, score_network
from tuner.training.spec import TrialSpec
from tuner.training.trial import run_trial

BATCHES = (1, 7, 512)
RNG = np.random.default_rng(0)
TABLES = [level + width * RNG.normal(size=(n, 2)).cumsum(0) for n, level, width in ((90, 0, 1), (60, 1e5, 9), (75, -3, 1e-3))]
PANEL = floor_data(TABLES, [(60, 75, 90), (40, 50, 60), (50, 60, 75)], horizon=4, frequency="MS")


class LastValue(Forecaster):
    """Repeats the last value; under a head with a spread, of e."""

    def __init__(self, shape: WindowShape) -> None:
        super().__init__(shape)
        self.dropout = torch.nn.Dropout(0.5)

    def forward(self, inputs: Inputs) -> Tensor:
        last = self.dropout(inputs.past_target[:, -1:]).expand(-1, self.shape.horizon, -1)
        return torch.stack([last, *[torch.ones_like(last)] * (self.shape.n_outputs - 1)], -1)


def score_last_value(
    loss: str = "mse", scaling: Scaling = "standard", n_paths: int = 20, seed: int = 0, data: PreparedData = PANEL, **more: int
) -> Score:
    torch.manual_seed(0)
    head = make_head(loss)
    shape = WindowShape(lookback=3, horizon=data.horizon, n_targets=2, n_outputs=head.n_outputs)
    network = Network(LastValue(shape), head)
    source = WindowSource(data, data.stages[0], DataConfig(lookback=3, scaling=scaling))
    score = score_network(network, source, data, data.stages[0], n_paths=n_paths, seed=seed, **more)
    assert network.training
    return score


@pytest.mark.parametrize(
    ("name", "horizon", "mse", "mae"),
    [
        ("naive", 24, 1.222, 0.671),
        ("naive", 96, 1.294, 0.713),
        ("seasonal_naive", 24, 0.424, 0.389),
        ("seasonal_naive", 96, 0.512, 0.433),
        ("linear_closed_form", 24, 0.311, 0.360),
        ("linear_closed_form", 96, 0.363, 0.391),
    ],
)
def test_floors_score_as_known_on_the_test_windows_of_etth1(name: str, horizon: int, mse: float, mae: float) -> None:
    data = etth1(horizon)
    floor = models.floors.get(name)()
    floor.fit(data, data.stages[0])
    score = score_floor(floor, data, data.stages[1])
    assert score.n_windows == 2880 - horizon + 1
    assert score.metrics["mse_scaled"] == pytest.approx(mse, abs=6e-4)
    assert score.metrics["mae_scaled"] == pytest.approx(mae, abs=6e-4)


@pytest.mark.parametrize(("horizon", "mse", "mae"), [(24, 0.310, 0.350), (96, 0.383, 0.392)])
def test_ridge_at_a_fixed_penalty_scores_as_known(horizon: int, mse: float, mae: float) -> None:
    data = etth1(horizon)
    floor = LinearClosedForm(lookbacks=(96,), ridges=(10.0,))
    floor.fit(data, data.stages[0])
    score = score_floor(floor, data, data.stages[1])
    assert score.metrics["mse_scaled"] == pytest.approx(mse, abs=6e-4)
    assert score.metrics["mae_scaled"] == pytest.approx(mae, abs=6e-4)


@pytest.mark.parametrize("name", models.floors.names())
def test_a_floors_score_is_bit_equal_at_every_batch_size(name: str) -> None:
    data = floor_data([table[:60, :1] for table in TABLES], [(50, 54, 58)] * 3, horizon=2, frequency="MS")
    floor = models.floors.get(name)()
    floor.fit(data, data.stages[0])
    one, *others = (score_floor(floor, data, data.stages[1], batch_size=size) for size in BATCHES)
    assert one.n_windows == 3 * 3
    assert all(other == one for other in others)


def with_losses(*losses: str) -> list[tuple[str, str]]:
    """Every model under some losses, or under as many of them as it supports, or under its first."""
    heads = {name: models.get(name).heads for name in models.names()}
    return [(name, loss) for name, own in heads.items() for loss in ([x for x in losses if x in own] or own[:1])]


QUICK = {*with_losses("mse"), *(("dlinear", loss) for loss in ("student_t", "quantile", "implicit_quantile"))}


@pytest.mark.parametrize(
    ("name", "loss"),
    [
        pytest.param(name, loss, marks=() if (name, loss) in QUICK else pytest.mark.slow)
        for name, loss in with_losses("mse", "student_t", "quantile", "implicit_quantile")
    ],
)
def test_a_networks_score_is_the_same_at_every_batch_size(name: str, loss: str) -> None:
    skip_unless_installed(name)
    baseline = search_spaces.get(name).baseline_config(PANEL.horizon, defaults_of(name))
    small = {key: value for key, value in baseline.items() if key.startswith("model.")}
    network, _, config = build(name, {**small, "data.lookback": 24, "train.loss": loss}, PANEL, seed=0)
    source = WindowSource(PANEL, PANEL.stages[0], config)
    first, *others = (
        score_network(network, source, PANEL, PANEL.stages[0], n_paths=20, seed=1, batch_size=size, with_loss=True).metrics
        for size in BATCHES
    )
    assert math.isfinite(first["loss"])
    for other in others:
        assert {**other, **no_counts(first)} == pytest.approx(first, rel=1e-6, abs=2e-6)  # a correlation may be near 0


def no_counts(metrics: dict[str, float]) -> dict[str, float]:
    """Those that jump when a forecast moves by a rounding error."""
    return {name: value for name, value in metrics.items() if name.startswith("coverage")}


@pytest.mark.parametrize("scaling", ["standard", "mean", "none"])
def test_a_network_scores_as_the_floor_that_forecasts_the_same_whatever_feeds_it(scaling: Scaling) -> None:
    naive = score_floor(Naive(), PANEL, PANEL.stages[0])
    network = score_last_value(scaling=scaling)
    assert {**network.metrics, **no_counts(naive.metrics)} == pytest.approx(naive.metrics, rel=1e-3)
    assert network.n_windows == naive.n_windows


@pytest.mark.parametrize("loss", ["normal", "student_t", "implicit_quantile"])
def test_paths_are_a_function_of_their_seed(loss: str) -> None:
    one, again, other = (score_last_value(loss, seed=seed) for seed in (1, 1, 2))
    assert one == again
    assert one.metrics["crps_sum"] != other.metrics["crps_sum"]


def test_a_head_with_a_spread_covers_what_a_point_does_not() -> None:
    wide, point = (score_last_value(loss).metrics["coverage_80"] for loss in ("normal", "mse"))
    assert wide > 0.9 > 0.1 > point


@pytest.mark.parametrize("loss", ["low_rank_normal", "implicit_quantile"])
def test_a_stage_scores_the_same_bit_for_bit_with_and_without_the_rows_of_the_test(loss: str) -> None:
    panel = make_panel((90, 60, 75))
    borders = [last_horizons(int(n), 4) for n in panel.history]
    validation = holdout(borders)
    scores = []
    for data in (prepare(panel, (validation,), 4), prepare(panel, (validation, final_test(borders)), 4)):
        network, _, config = build("dlinear", {"data.lookback": 8, "train.loss": loss}, data, seed=0)
        source = WindowSource(data, data.stages[0], config)
        scores.append(score_network(network, source, data, data.stages[0], n_paths=20, seed=1, with_loss=True))
    assert scores[0].metrics["crps_sum"] > 0
    assert scores[0] == scores[1]


class Steps(Head):
    """Paths at 0, 1 ... n - 1, in the units of the past."""

    n_outputs = 1

    def loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        return outputs.squeeze(-1)

    def forecast(self, outputs: Tensor, inputs: Inputs, n_paths: int, draws: Draws) -> Forecast:
        steps = torch.arange(float(n_paths))[None, :, None, None]
        return Forecast(paths=steps.expand(len(outputs), n_paths, *outputs.shape[1:3]))


def test_paths_come_to_original_units_by_series() -> None:
    network = Network(LastValue(WindowShape(lookback=3, horizon=4, n_targets=2)), Steps())
    source = WindowSource(PANEL, PANEL.stages[0], DataConfig(lookback=3))
    score = score_network(network, source, PANEL, PANEL.stages[0], n_paths=3, seed=0)
    origins = score_origins(PANEL.stages[0], PANEL.offsets, 4).all()
    scaler, series = PANEL.stages[0].scalers.targets, series_of(origins, PANEL.offsets)
    errors = np.abs(futures(PANEL, origins) - (scaler.mean + scaler.std)[series][:, None])
    assert score.metrics["mae"] == pytest.approx(errors.mean(), rel=1e-9)
    assert score.metrics["mae_scaled"] == pytest.approx((errors / scaler.std[series][:, None]).mean(), rel=1e-9)


def test_the_loss_is_that_of_the_head_and_only_there_if_asked_for() -> None:
    metrics = score_last_value("mse", with_loss=True).metrics
    assert metrics["loss"] == pytest.approx(metrics["mse_scaled"], rel=1e-3)
    assert "loss" not in score_last_value("mse").metrics


def test_a_loss_that_draws_repeats() -> None:
    network, _, config = build("dlinear", {"data.lookback": 24, "train.loss": "implicit_quantile"}, PANEL, seed=0)
    source = WindowSource(PANEL, PANEL.stages[0], config)
    first, again = (
        score_network(network, source, PANEL, PANEL.stages[0], n_paths=2, seed=0, with_loss=True).metrics for _ in range(2)
    )
    assert first == again
    assert math.isfinite(first["loss"])


def test_a_target_that_was_not_observed_does_not_count() -> None:
    observed = np.random.default_rng(1).random(PANEL.values.shape) > 0.3
    scored = np.arange(len(observed)) >= PANEL.stages[0].score[0, 0]
    values = np.where(~observed & scored[:, None], 1e9, PANEL.values)
    only_first = replace(PANEL.stages[0], score=PANEL.stages[0].score * [[1], [0], [0]])
    holes, filled = (replace(PANEL, observed=observed, values=v, stages=(only_first,)) for v in (values, PANEL.values))
    naive = Repeat(PANEL.values)
    assert score_floor(naive, holes, only_first) == score_floor(naive, filled, only_first)


class Repeat(Naive):
    """The last value of other data."""

    def __init__(self, values: FloatArray) -> None:
        self.values = values

    def forecast(self, data: PreparedData, origins: IntArray) -> FloatArray:
        return super().forecast(replace(data, values=self.values), origins)


def test_a_metric_that_has_no_value_on_the_data_is_refused() -> None:
    still = floor_data([np.full((60, 1), 3.0), np.zeros((60, 1))], [(30, 45, 60)] * 2, horizon=3)
    check_defined("smape", still)
    check_defined("loss", still)
    for metric in ("mase", "corr"):
        with pytest.raises(ValueError, match=f"{metric} divides by 0 on what stage holdout scores"):
            check_defined(metric, still)
    for metric in METRICS:
        check_defined(metric, PANEL)


def test_rows_of_which_none_was_observed_cannot_be_scored() -> None:
    observed = np.ones_like(PANEL.observed)
    for offset, (start, end) in zip(PANEL.offsets, PANEL.stages[0].score, strict=False):
        observed[offset + start : offset + end] = False
    with pytest.raises(ValueError, match="at least one observed value"):
        check_defined("mae", replace(PANEL, observed=observed))


def test_many_values_come_in_small_batches() -> None:
    wide = replace(PANEL, channels=tuple(map(str, range(321))), horizon=720)
    assert 20 * 720 * 321 * batch_size_for(wide, 20) <= 2**24
    assert (batch_size_for(PANEL, 20), batch_size_for(wide, 10_000)) == (256, 1)


def test_changing_the_test_rows_changes_no_scaler_and_no_validation_score() -> None:
    example = synthetic()
    rows = example.panel.values.copy()
    rows[example.borders.val_end :] *= -3
    changed = replace(example, panel=replace(example.panel, values=rows))
    floor = LinearClosedForm()
    scores = []
    for data in (example.opened(), changed.opened()):
        floor.fit(data, data.stages[0])
        scores.append((score_floor(floor, data, data.stages[0]), data.stages[0].scalers.to_json()))
    assert scores[0] == scores[1]
    assert np.array_equal(example.for_trials().values, changed.for_trials().values)


@pytest.mark.parametrize(("name", "loss"), with_losses("mse", "normal"))
def test_changing_the_future_changes_no_forecast(name: str, loss: str) -> None:
    skip_unless_installed(name)
    data = synthetic().opened()
    origins = torch.tensor([1390])
    future = data.values.copy()
    future[1391:] = 9.0
    forecasts = []
    for seen in (data, replace(data, values=future)):
        network, _, config = build(name, {"data.lookback": 48, "data.lags": "frequency", "train.loss": loss}, data, seed=0)
        batch = WindowSource(seen, data.stages[0], config).batch(origins)
        with torch.inference_mode():
            forecasts.append(network.eval().predict(batch.inputs, 5, Draws(0, origins)).paths)
    assert torch.equal(*forecasts)


@pytest.mark.slow
def test_dlinear_is_within_3_percent_of_its_published_row() -> None:
    data = etth1(96)
    best: list[bytes] = []

    def keep(report: Report) -> Decision:
        best.extend([report.best] if report.best else [])
        return Decision.CONTINUE

    config = {
        **defaults_of("dlinear"),
        "data.lookback": 336,
        "train.learning_rate": 5e-3,
        "train.schedule": "halve",
    }
    spec = TrialSpec(model="dlinear", config=config, seed=0, epochs=10, metric="mse_scaled")
    run_trial(spec, replace(data, stages=data.stages[:1]), keep)
    test = evaluate_weights("best", spec, best[-1], data).test
    assert test.n_windows == 2785
    assert test.metrics["mse_scaled"] == pytest.approx(0.375, rel=0.03)
    assert test.metrics["mae_scaled"] == pytest.approx(0.399, rel=0.03)
