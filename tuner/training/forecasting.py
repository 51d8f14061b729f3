"""Forecasts with exported weights: what follows the last rows of a panel, in its own units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch

from datasets.base import FloatArray, IntArray, Panel
from datasets.windows.loaders import ScoreLoader, WindowSource
from datasets.windows.prepare import prepare_history
from datasets.windows.prepared import Scaler, Scalers
from datasets.windows.scaling import fit_targets
from datasets.windows.windowing import score_origins, series_of
from models.heads.draws import Draws
from search_spaces.base import Config
from tuner.training.evaluate import load_network
from tuner.training.scoring import EVALUATION_BATCH

QUANTILES = (0.1, 0.5, 0.9)


@dataclass(frozen=True, kw_only=True)
class PanelForecast:
    """One forecast for each series: n_series, H steps, C channels; original units."""

    mean: FloatArray
    """(n_series, H, C)"""
    quantiles: FloatArray | None
    """(n_series, H, C, levels of ``QUANTILES``); None from a model that gives points."""


def forecast_panel(
    panel: Panel,
    *,
    model: str,
    config: Config,
    weights: bytes,
    scaler: Mapping[str, Any],
    horizon: int,
    n_paths: int,
    seed: int,
) -> PanelForecast:
    """The steps after the end of each series.

    A series that training knew by name is scaled as it was then; another one by its own history.

    Args:
        panel: The whole history, with the columns that the model was trained on.
        model: Its name.
        config: Of the trial.
        weights: safetensors.
        scaler: What ``scaler.json`` holds.
        horizon: Steps to forecast.
        n_paths: Paths of a probabilistic forecast.
        seed: Of its draws.
    """
    data = prepare_history(panel, _scalers(panel, scaler), horizon)
    network, _, data_config = load_network(model, config, data, weights)
    source = WindowSource(data, data.stages[0], data_config)
    origins = score_origins(data.stages[0], data.offsets, horizon)
    means, quantiles = [], []
    with torch.inference_mode():
        for rows, batch in ScoreLoader(source, origins, EVALUATION_BATCH):
            forecast = network.predict(batch.inputs, n_paths, Draws(seed, torch.from_numpy(rows)))
            loc, scale = (part[series_of(rows, data.offsets)][:, None] for part in source.affine)
            means.append(forecast.mean.double().numpy() * scale + loc)
            if forecast.paths.shape[1] > 1:
                quantiles.append(np.stack([forecast.quantile(q).double().numpy() * scale + loc for q in QUANTILES], -1))
    return PanelForecast(mean=np.concatenate(means), quantiles=np.concatenate(quantiles) if quantiles else None)


def _scalers(panel: Panel, scaler: Mapping[str, Any]) -> Scalers:
    """The fitted scalers, those of the targets in the order of the panel's series."""
    fitted = Scalers.from_json({name: scaler[name] for name in ("targets", "covariates", "known", "static")})
    places = {name: i for i, name in enumerate(scaler["series"])}
    if len(places) == len(panel.series) == 1:
        return fitted
    whole: IntArray = np.stack([np.zeros_like(panel.history), panel.history], axis=1)
    own = fit_targets(panel, whole)

    def chosen(name: str) -> FloatArray:
        kept, fresh = getattr(fitted.targets, name), getattr(own, name)
        return np.stack([kept[places[s]] if s in places else fresh[i] for i, s in enumerate(panel.series)])

    return replace(fitted, targets=Scaler(mean=chosen("mean"), std=chosen("std"), size=chosen("size")))
