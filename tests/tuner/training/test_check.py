from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from datasets.windows.prepare import prepare
from datasets.windows.prepared import PreparedData
from models.dlinear import DLinear
from models.informer import Informer
from search_spaces.base import Choice, Config, Domain, Ordinal, Space, Value
from tests.tuner.training.data import synthetic
from tuner.study.metrics import check_metric
from tuner.training.check import ModelBroken, check_configs, unused_inputs

EXAMPLE = synthetic(n_folds=2)
DATA = EXAMPLE.for_trials()


def check(data: PreparedData = DATA, model: str = "dlinear", **changes: Value) -> None:
    config: Config = {"data.lookback": 24, **{key.replace("__", "."): value for key, value in changes.items()}}
    check_configs(model, [config], data)


@pytest.mark.parametrize("loss", ["mse", "quantile", "implicit_quantile", "normal", "student_t", "low_rank_normal"])
def test_a_config_that_fits_passes(loss: str) -> None:
    check(train__loss=loss)


def test_a_loss_that_a_model_does_not_support_is_refused_with_its_config() -> None:
    with pytest.raises(ValueError, match=r"supports \(mse\), got 'huber' \(config: data.lookback=24, train.loss=huber\)"):
        check(model="tests.tuner.training.talkative", train__loss="huber")


def test_a_lookback_longer_than_the_train_rows_of_the_first_fold_is_refused() -> None:
    check(data__lookback=1000)
    with pytest.raises(ValueError, match=r"1250 \+ 12 with 1200 train rows \(stage fold_1\)"):
        check(data__lookback=1250)


def test_a_model_that_breaks_is_told_from_a_mistake() -> None:
    with pytest.raises(ModelBroken):
        check(model="tests.tuner.training.talkative", model__n_bytes=-1.5)


COUNTS = replace(EXAMPLE.panel, values=np.rint(np.abs(EXAMPLE.panel.values)))


@pytest.mark.parametrize("scaling", ["standard", "mean", "none"])
def test_counts_are_learnt_whatever_feeds_the_model(scaling: str) -> None:
    check(prepare(COUNTS, EXAMPLE.validation, 12), train__loss="negative_binomial", data__scaling=scaling)


@pytest.mark.parametrize("value", [-7.0, 2.5])
def test_what_is_no_count_is_named_with_its_place(value: float) -> None:
    values = COUNTS.values.copy()
    values[25, 2] = value
    data = prepare(replace(COUNTS, values=values), EXAMPLE.validation, 12)
    words = rf"whole numbers of 0 or more, got {value:g} in channel 'c' of series 'synthetic' at 2024-01-02 01:00:00"
    with pytest.raises(ValueError, match=words):
        check(data, train__loss="negative_binomial")


def test_what_is_no_count_passes_if_nobody_observed_it() -> None:
    values, observed = COUNTS.values.copy(), COUNTS.observed.copy()
    values[25, 2], observed[25, 2] = -7.5, False
    data = prepare(replace(COUNTS, values=values, observed=observed), EXAMPLE.validation, 12)
    check(data, train__loss="negative_binomial")


def test_a_metric_without_a_value_on_the_data_is_refused() -> None:
    flat = replace(DATA, values=np.zeros_like(DATA.values))
    check_configs("dlinear", [], DATA, "smape")
    with pytest.raises(ValueError, match="corr divides by 0 on what stage fold_1 scores"):
        check_configs("dlinear", [], flat, "corr")


def test_an_unknown_metric_is_refused() -> None:
    with pytest.raises(LookupError, match="no metric is named 'maes'; did you mean 'mae'"):
        check_metric("maes", Space("dlinear", {}))


@pytest.mark.parametrize(
    ("key", "domain"),
    [
        ("train.loss", Choice("mse", "mae")),
        ("train.quantile_levels", Choice("0.5", "0.1,0.9")),
        ("data.scaling", Choice("mean", "standard")),
    ],
)
def test_the_loss_does_not_rank_configs_in_which_it_means_different_things(key: str, domain: Domain) -> None:
    check_metric("mse_scaled", Space("dlinear", {key: domain}))
    with pytest.raises(ValueError, match=f"--metric loss .* {key} is searched"):
        check_metric("loss", Space("dlinear", {key: domain}))


def test_the_loss_ranks_configs_that_share_it() -> None:
    check_metric("loss", Space("dlinear", {"train.loss": "mae", "data.lookback": Ordinal(24, 48)}))


def test_inputs_that_a_model_does_not_read_are_listed() -> None:
    rows = len(DATA.values)
    more = replace(DATA, covariates=np.zeros((rows, 1)), known=np.zeros((rows, 2)), static_categories=np.zeros((1, 1), int))
    assert unused_inputs(DLinear, more) == ["covariates", "known", "static"]
    assert unused_inputs(Informer, more) == ["static"]
    assert unused_inputs(DLinear, DATA) == []
    assert unused_inputs(DLinear, DATA, lags=True) == ["lags"]
