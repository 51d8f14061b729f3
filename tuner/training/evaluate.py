"""Scores weights that are final, and the floors, on validation and test: same windows, same code."""

from __future__ import annotations

import time
from dataclasses import dataclass

import safetensors.torch
import torch

import models.floors
from datasets.config import DataConfig
from datasets.windows.loaders import WindowSource
from datasets.windows.prepared import PreparedData
from models.base import Forecaster
from models.heads.base import Head
from search_spaces.base import Config
from tuner.study.train_config import TrainConfig
from tuner.training.metrics import Score
from tuner.training.scoring import score_floor, score_model
from tuner.training.trainer import make_trainer
from tuner.training.trial import TrialSpec, build


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Validation and test scores of one forecaster."""

    who: str
    lookback: int
    validation: Score
    test: Score
    seconds: float
    note: str = ""


def load_model(
    model: str, config: Config, data: PreparedData, weights: bytes
) -> tuple[Forecaster, Head, TrainConfig, DataConfig]:
    """A model with trained weights, its head and config."""
    built, head, train, data_config = build(model, config, data, seed=0)
    built.load_state_dict(safetensors.torch.load(weights))
    return built.eval(), head, train, data_config


def evaluate_weights(who: str, spec: TrialSpec, weights: bytes, data: PreparedData) -> Evaluation:
    """Scores weights as they will be exported: loaded afresh from their bytes.

    Args:
        who: Their name in the comparison.
        spec: The trial that they come from.
        weights: safetensors.
        data: Prepared with the test rows: stages are validation and test.
    """
    started = time.perf_counter()
    torch.set_num_threads(spec.n_threads)
    device = torch.device("cuda" if spec.accelerator == "gpu" else spec.accelerator)
    model, head, train, data_config = load_model(spec.model, spec.config, data, weights)
    trainer = make_trainer(train, epochs=1, accelerator=spec.accelerator, then=lambda *_: True)
    source = WindowSource(data, lookback=data_config.lookback, horizon=data.horizon, device=device)
    model.to(device)
    validation, test = (
        score_model(model, head, source, data, stage, context=trainer.precision_plugin.forward_context) for stage in data.stages
    )
    seconds = time.perf_counter() - started
    return Evaluation(who=who, lookback=data_config.lookback, validation=validation, test=test, seconds=seconds)


def evaluate_floor(name: str, data: PreparedData) -> Evaluation:
    """Fits a floor on the train rows, and scores it."""
    started = time.perf_counter()
    floor = models.floors.get(name)()
    floor.fit(data, data.stages[0])
    validation, test = (score_floor(floor, data, stage) for stage in data.stages)
    seconds = time.perf_counter() - started
    return Evaluation(
        who=name, lookback=floor.lookback, validation=validation, test=test, seconds=seconds, note=floor.describe()
    )
