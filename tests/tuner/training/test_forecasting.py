from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from datasets.base import Panel
from datasets.config import last_horizons
from datasets.windows.prepare import prepare
from datasets.windows.splits import holdout
from search_spaces.base import Config
from tests.datasets.panels import make_panel
from tuner.training.forecasting import PanelForecast, forecast_panel
from tuner.training.network import build, save_weights

PANEL = make_panel((60, 80, 70))
NAMES = ("s0", "s1", "s2")


def forecast(panel: Panel, trained: Panel = PANEL, *, own_names: bool = True, more: Config | None = None) -> PanelForecast:
    """By an untrained network, with the scalers of the validation stage of ``trained``."""
    config: Config = {"data.lookback": 8, "train.loss": "low_rank_normal", **(more or {})}
    data = prepare(trained, (holdout([last_horizons(int(n), 4) for n in trained.history]),), 4)
    network, *_ = build("dlinear", config, data, seed=0)
    return forecast_panel(
        panel,
        model="dlinear",
        config=config,
        weights=save_weights(network.state_dict()),
        scaler={"series": list(trained.series), **data.stages[0].scalers.to_json()},
        own_names=own_names,
        horizon=4,
        n_paths=5,
        seed=0,
    )


def only(series: int, name: str | None = None, panel: Panel = PANEL) -> Panel:
    rows = slice(*panel.offsets[series : series + 2])
    return replace(
        panel,
        values=panel.values[rows],
        observed=panel.observed[rows],
        covariates=panel.covariates[rows],
        known=panel.known[rows],
        static=panel.static[[series]],
        static_categories=panel.static_categories[[series]],
        offsets=np.array([0, panel.lengths[series]]),
        start_times=panel.start_times[[series]],
        series=(name or panel.series[series],),
    )


def test_a_series_is_forecast_the_same_alone_and_among_others() -> None:
    among, alone = forecast(PANEL), forecast(only(1))
    assert among.quantiles is not None
    assert alone.quantiles is not None
    np.testing.assert_allclose(alone.mean[0], among.mean[1], rtol=1e-6)
    np.testing.assert_allclose(alone.quantiles[0], among.quantiles[1], rtol=1e-6)


def test_a_series_of_another_name_is_scaled_by_its_own_history_even_alone() -> None:
    trained = only(0)
    far = replace(trained, values=trained.values + 1e4, series=("new",))
    known = replace(far, series=trained.series)
    new, same = (forecast(panel, trained, more={"train.loss": "mse"}).mean for panel in (far, known))
    assert not np.array_equal(new, same)
    own = forecast(far, far, more={"train.loss": "mse"}).mean
    np.testing.assert_allclose(new, own, rtol=1e-3)


def test_the_series_of_a_table_is_that_of_the_study_whatever_its_file_is_called() -> None:
    trained = only(0)
    one, other = (forecast(replace(trained, series=(name,)), trained, own_names=False) for name in ("s0", "other"))
    assert np.array_equal(one.mean, other.mean)


def test_known_series_are_not_fitted_and_a_new_one_without_a_value_is_named() -> None:
    observed = PANEL.observed.copy()
    observed[: PANEL.offsets[1], 1] = False
    blind = replace(PANEL, observed=observed)
    assert np.isfinite(forecast(blind).mean).all()
    with pytest.raises(ValueError, match=r"got no observed value of channel 'b' in 'new'; bring some"):
        forecast(only(0, "new", blind))


def test_a_model_forecasts_in_the_precision_that_it_was_trained_in() -> None:
    single, half = (forecast(only(0), more={"train.precision": precision}).mean for precision in ("32", "bf16"))
    assert not np.array_equal(single, half)
    np.testing.assert_allclose(half, single, atol=0.2)
