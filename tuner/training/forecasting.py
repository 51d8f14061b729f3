"""Forecasts with exported weights: what follows the last rows of a panel, in its own units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from search_spaces.base import Config
from tuner.training.evaluate import load_network
from tuner.training.explaining import Weight, mean_weights
from tuner.training.scoring import batch_size_for, draws_of, precision_context

QUANTILES = (0.1, 0.5, 0.9)


@dataclass(frozen=True, kw_only=True)
class PanelForecast:
    """One forecast for each series: n_series, H steps, C channels; original units."""

    mean: FloatArray
    """(n_series, H, C): the last H steps of the horizon."""
    quantiles: FloatArray | None
    """(n_series, H, C, levels of ``QUANTILES``); None from a model that gives points."""
    weights: tuple[Weight, ...] = ()
    """How the model weighs its inputs, as the mean over the series, where that was asked for."""


def forecast_panel(
    panel: Panel,
    *,
    model: str,
    config: Config,
    weights: bytes,
    scaler: Mapping[str, Any],
    own_names: bool,
    horizon: int,
    first_counted: int = 0,
    whole_numbers: bool = False,
    n_paths: int,
    seed: int,
    explain: bool = False,
) -> PanelForecast:
    """The steps after the end of each series.

    A series that training knew by name is scaled as it was then; another one by its own history. A table without a series id
    has no name but its file's: it is taken for the series of the study, whatever the file is called, and so scaled. What is
    drawn for a series depends on its name and its row of the origin, not on the series around it.

    Args:
        panel: The whole history, with the columns that the model was trained on.
        model: Its name.
        config: Of the trial.
        weights: safetensors.
        scaler: What ``scaler.json`` holds.
        own_names: Whether the study's series have names: from a series id or a .tsf file.
        horizon: Steps to forecast.
        first_counted: Those before this one, from 0, are left out: what they were trained for did not count.
        whole_numbers: Whether what is forecast is rounded to them.
        n_paths: Paths of a probabilistic forecast.
        seed: Of its draws.
        explain: Whether to say how the model weighs its inputs.

    Raises:
        ValueError: the panel does not suit the model; or the model is to explain itself and does not.
    """
    if not own_names and len(scaler["series"]) == len(panel.series) == 1:
        panel = replace(panel, series=tuple(scaler["series"]))
    data = prepare_history(panel, _scalers(panel, scaler), horizon)
    network, train, data_config = load_network(model, config, data, weights)
    source = WindowSource(data, data.stages[0], data_config)
    origins = score_origins(data.stages[0], data.offsets, horizon)
    means, quantiles, explanations = [], [], []
    with torch.inference_mode(), precision_context(train, "cpu"):
        for rows, batch in ScoreLoader(source, origins, batch_size_for(data, n_paths)):
            if explain:
                explanation = network.model.explain(batch.inputs)
                if explanation is None:
                    raise ValueError(
                        f"--explain needs a model that says how it weighs its inputs, such as tft; {model} does not"
                    )
                explanations.append(explanation)
            forecast = network.predict(batch.inputs, n_paths, draws_of(data, rows, seed))
            loc, scale = (part[series_of(rows, data.offsets)][:, None] for part in source.affine)
            means.append(forecast.mean.double().numpy() * scale + loc)
            if forecast.paths.shape[1] > 1:
                quantiles.append(np.stack([forecast.quantile(q).double().numpy() * scale + loc for q in QUANTILES], -1))

    def finished(parts: Sequence[FloatArray]) -> FloatArray:
        whole = np.concatenate(parts)[:, first_counted:]
        return np.rint(whole) + 0.0 if whole_numbers else whole  # + 0.0, for people read no -0.0

    return PanelForecast(
        mean=finished(means),
        quantiles=finished(quantiles) if quantiles else None,
        weights=tuple(mean_weights(explanations, panel)) if explain else (),
    )


def _scalers(panel: Panel, scaler: Mapping[str, Any]) -> Scalers:
    """The fitted scalers, those of the targets in the order of the panel's series.

    Raises:
        ValueError: a series that training did not know has no observed value of a channel.
    """
    fitted = Scalers.from_json({name: scaler[name] for name in ("targets", "covariates", "known", "static")})
    places = {name: i for i, name in enumerate(scaler["series"])}
    at = np.array([places.get(name, -1) for name in panel.series])
    new = at < 0
    if not new.any():
        return replace(fitted, targets=Scaler(**{name: numbers[at] for name, numbers in vars(fitted.targets).items()}))
    seen = np.logical_or.reduceat(panel.observed, panel.offsets[:-1])
    if (blind := new[:, None] & ~seen).any():
        i, channel = np.argwhere(blind)[0]
        raise ValueError(
            f"a series that training did not know is scaled by its own history, got no observed value of channel "
            f"{panel.channels[channel]!r} in {panel.series[i]!r}; bring some, or leave the series out"
        )
    lengths: IntArray = np.where(new, panel.history, 0)
    own = fit_targets(panel, np.stack([np.zeros_like(lengths), lengths], axis=1))

    def chosen(name: str) -> FloatArray:
        numbers: FloatArray = np.where(new[:, None], getattr(own, name), getattr(fitted.targets, name)[at])
        return numbers

    return replace(fitted, targets=Scaler(mean=chosen("mean"), std=chosen("std"), size=chosen("size")))
