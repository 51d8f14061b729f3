"""Scores weights that are final, and the floors, on validation and test: same windows, same code.

On test, what was trained or fitted for the last validation stage is scored: it knows all train rows.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import safetensors.torch
import torch

import models.floors
from datasets.config import DataConfig
from datasets.windows.loaders import WindowSource
from datasets.windows.prepared import PreparedData
from models.floors.base import TooLong
from search_spaces.base import Config
from tuner.study.schema import split_config
from tuner.study.train_config import TrainConfig
from tuner.training.metrics import Score, mean_score
from tuner.training.network import Network, build, load_state, weights_of
from tuner.training.scoring import score_floor, score_trial
from tuner.training.spec import TrialSpec


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Validation and test scores of one forecaster."""

    who: str
    lookback: int
    validation: Score
    """The mean over the validation stages."""
    test: Score
    seconds: float
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class NotRun:
    """A floor that is not made for data of this size."""

    who: str
    note: str


def load_network(model: str, config: Config, data: PreparedData, weights: bytes) -> tuple[Network, TrainConfig, DataConfig]:
    """A network with trained weights, ready to forecast, and the rest of its config.

    Args:
        model: Its name.
        config: Of the trial.
        data: Of the sizes that it was trained on.
        weights: A safetensors of one stage: ``model.*`` and ``head.*``.

    Raises:
        ValueError: they are those of another network.
    """
    network, train, data_config = build(model, config, data, seed=0)
    load_state(network, safetensors.torch.load(weights))
    return network.eval(), train, data_config


def score_weights(spec: TrialSpec, weights: bytes, data: PreparedData, place: int) -> tuple[Score, float]:
    """The score of weights as they will be exported, loaded afresh from their bytes, on one stage; and the seconds it took.

    Args:
        spec: The trial that they come from.
        weights: What it reported: a safetensors of all of its stages.
        data: Prepared with the test rows: its stages are those of the trial, then the test.
        place: Of the stage in ``data.stages``.
    """
    started = time.perf_counter()
    torch.set_num_threads(spec.n_threads)
    stage, last = data.stages[place], data.stages[-2]
    trained = last if data.chained or stage is data.stages[-1] else stage
    network, _, config = load_network(spec.model, spec.config, data, weights_of(trained.name, weights))
    source = WindowSource(data, stage, config, spec.device)
    network.to(spec.device)
    score = score_trial(spec, network, source, data, stage)
    return score, time.perf_counter() - started


def evaluation_of(who: str, spec: TrialSpec, scored: Sequence[tuple[Score, float]]) -> Evaluation:
    """What ``score_weights`` found on each stage, the test last, under a name in the comparison."""
    *validation, test = (score for score, _ in scored)
    return Evaluation(
        who=who,
        lookback=split_config(spec.config)[2].lookback,
        validation=mean_score(validation),
        test=test,
        seconds=sum(seconds for _, seconds in scored),
    )


def evaluate_weights(who: str, spec: TrialSpec, weights: bytes, data: PreparedData) -> Evaluation:
    """``score_weights`` on every stage, one after the other."""
    return evaluation_of(who, spec, [score_weights(spec, weights, data, place) for place in range(len(data.stages))])


def evaluate_floor(name: str, data: PreparedData) -> Evaluation | NotRun:
    """Fits a floor for each validation stage and scores it. The last fit is tested, unless the floor refits by convention."""
    started = time.perf_counter()
    # What learns in turn has seen all train rows before; so may a floor.
    *validation, test = (replace(stage, train=stage.train * (0, 1)) for stage in data.stages) if data.chained else data.stages
    scores = []
    try:
        for stage in validation:
            floor = models.floors.get(name)()
            floor.fit(data, stage)
            scores.append(score_floor(floor, data, stage))
        if floor.refits:
            floor.fit(data, test)
        tested = score_floor(floor, data, test)
    except TooLong as error:
        return NotRun(who=name, note=str(error))
    return Evaluation(
        who=name,
        lookback=floor.lookback,
        validation=mean_score(scores),
        test=tested,
        seconds=time.perf_counter() - started,
        note=floor.describe(),
    )
