"""Scores over the real windows of ETTh1, through the code that scores trials and exports."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

import models
import models.floors
from datasets.windows.loaders import WindowSource
from models.floors.linear_closed_form import LinearClosedForm
from search_spaces.base import Config
from tests.tuner.training.data import etth1, synthetic
from tuner.study.schema import defaults_of
from tuner.study.trial import Decision, Report
from tuner.training.evaluate import evaluate_weights
from tuner.training.scoring import score_floor, score_model
from tuner.training.trial import TrialSpec, build, run_trial

BATCHES = (1, 7, 512)


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
    data = synthetic().opened()
    floor = models.floors.get(name)()
    floor.fit(data, data.stages[0])
    one, *others = (score_floor(floor, data, data.stages[1], batch_size=size) for size in BATCHES)
    assert all(other == one for other in others)


@pytest.mark.parametrize("name", models.names())
def test_a_models_score_is_the_same_at_every_batch_size(name: str) -> None:
    data = synthetic().opened()
    small: Config = {"model.n_heads": 2, "model.head_width": 8, "model.feedforward": 32} if name == "informer" else {}
    model, head, _, config = build(name, {**small, "data.lookback": 48}, data, seed=0)
    source = WindowSource(data, lookback=config.lookback, horizon=data.horizon)
    values = [score_model(model, head, source, data, data.stages[1], batch_size=size).metrics["mse_scaled"] for size in BATCHES]
    assert values == pytest.approx([values[0]] * 3, rel=1e-6)


def test_changing_the_test_rows_changes_no_scaler_and_no_validation_score() -> None:
    problem = synthetic()
    rows = problem.panel.values.copy()
    rows[problem.borders.val_end :] *= -3
    changed = replace(problem, panel=replace(problem.panel, values=rows))
    floor = LinearClosedForm()
    scores = []
    for data in (problem.opened(), changed.opened()):
        floor.fit(data, data.stages[0])
        scores.append((score_floor(floor, data, data.stages[0]), data.scaler.mean.tolist(), data.scaler.std.tolist()))
    assert scores[0] == scores[1]
    assert np.array_equal(problem.for_trials().values, changed.for_trials().values)


@pytest.mark.parametrize("name", models.names())
def test_changing_the_future_changes_no_forecast(name: str) -> None:
    data = synthetic().opened()
    origin = 1500
    future = data.values.copy()
    future[origin + 1 :] = 9.0
    forecasts = []
    for seen in (data, replace(data, values=future)):
        model, head, _, config = build(name, {"data.lookback": 48}, data, seed=0)
        batch = WindowSource(seen, lookback=config.lookback, horizon=data.horizon).batch(torch.tensor([origin]))
        with torch.inference_mode():
            forecasts.append(model.eval().predict(batch.inputs, head, 1, None).mean)
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
