"""How a trial goes through the stages of its data: with a network for each of them, or with one network in turn."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from datasets.config import DataConfig
from datasets.windows.loaders import TrainLoader, WindowSource
from datasets.windows.prepared import PreparedData, Stage
from datasets.windows.windowing import Origins, train_origins
from tuner.study.seeds import derive
from tuner.training.module import Step
from tuner.training.network import Network, build
from tuner.training.replay import Rehearsal, exemplars, random_windows
from tuner.training.spec import TrialSpec


class Lockstep:
    """The batches of one epoch of each network after the other."""

    def __init__(self, loaders: Sequence[TrainLoader]) -> None:
        self.loaders = loaders

    def set_epoch(self, epoch: int) -> None:
        """The epoch, from 0, that the next iteration gives."""
        for loader in self.loaders:
            loader.set_epoch(epoch)

    def __len__(self) -> int:
        """Steps an epoch."""
        return sum(map(len, self.loaders))

    def __iter__(self) -> Iterator[Step]:
        return (Step(stage, ((1.0, batch),)) for stage, loader in enumerate(self.loaders) for batch in loader)


class Scored(NamedTuple):
    """A stage, and what is scored on it."""

    stage: Stage
    network: Network
    source: WindowSource


@dataclass(frozen=True, kw_only=True)
class Turn:
    """Epochs over the same windows, with one optimiser."""

    number: int
    first_epoch: int
    """Of the trial, from 0."""
    end_epoch: int
    networks: Mapping[str, Network]
    """By the stage that each learns now."""
    n_steps: tuple[int, ...]
    """An epoch, of each network."""
    loader: Lockstep | Rehearsal
    seed: int


class Protocol(ABC):
    """The networks of a trial, where they are scored, and the turns in which they learn."""

    networks: dict[str, Network]
    """By the stage under whose name their weights are kept."""
    scored: list[Scored]
    kept: dict[str, Tensor]
    """Origins of windows that later turns replay, by their stage."""

    @abstractmethod
    def turns(self, n_epochs: int) -> Iterator[Turn]:
        """What is left after so many epochs of the trial. A turn is to be trained before the next one is asked for."""


def protocol_of(spec: TrialSpec, data: PreparedData) -> Protocol:
    """How a trial goes through this data."""
    return Chained(spec, data) if data.chained else Independent(spec, data)


def _source(network: Network, data: PreparedData, stage: Stage, config: DataConfig, spec: TrialSpec) -> WindowSource:
    trained = replace(data, first_counted=0) if network.model.teacher_forced else data
    return WindowSource(trained, stage, config, spec.device)


class Independent(Protocol):
    """A holdout, or folds: each stage has a network of its own, and all advance together."""

    def __init__(self, spec: TrialSpec, data: PreparedData) -> None:
        self.kept, self.scored, loaders = {}, [], []
        for stage in data.stages:
            network, train, config = build(spec.model, spec.config, data, spec.seed)
            source = _source(network, data, stage, config, spec)
            origins = train_origins(stage, data.offsets, source.reach, data.horizon)
            loaders.append(
                TrainLoader(source, origins, train.batch_size, train.windows_per_epoch, derive(spec.seed, "windows"))
            )
            self.scored.append(Scored(stage, network, source))
        self.networks = {each.stage.name: each.network for each in self.scored}
        self._turn = Turn(
            number=0,
            first_epoch=0,
            end_epoch=spec.epochs,
            networks=self.networks,
            n_steps=tuple(map(len, loaders)),
            loader=Lockstep(loaders),
            seed=spec.seed,
        )

    def turns(self, n_epochs: int) -> Iterator[Turn]:
        """The only one."""
        if n_epochs < self._turn.end_epoch:
            yield self._turn


class Chained(Protocol):
    """Continual learning: one network learns the stages in turn, for as many epochs each, and is scored on all of them.

    Each turn begins with a new optimiser and the schedule from its start. With replay, each of its steps adds the loss on as
    many windows of earlier stages: of all of them (exact), or of ``train.replay_size`` in equal shares, one of each at least.
    """

    def __init__(self, spec: TrialSpec, data: PreparedData) -> None:
        self._network, self._train, config = build(spec.model, spec.config, data, spec.seed)
        self._source = _source(self._network, data, data.stages[0], config, spec)  # all stages share the scale of the first
        self._spec, self._data, self.kept = spec, data, {}
        self.networks = {data.stages[-1].name: self._network}
        self.scored = [Scored(stage, self._network, self._source) for stage in data.stages]

    def turns(self, n_epochs: int) -> Iterator[Turn]:
        """A stage each."""
        n_stages = len(self._data.stages)
        for number, stage in enumerate(self._data.stages):
            first, end = (k * self._spec.epochs // n_stages for k in (number, number + 1))
            if n_epochs < end:
                loader = self._loader(number)
                yield Turn(
                    number=number,
                    first_epoch=first,
                    end_epoch=end,
                    networks={stage.name: self._network},
                    n_steps=(len(loader),),
                    loader=loader,
                    seed=derive(self._spec.seed, "stage", number),
                )

    def _loader(self, number: int) -> Rehearsal:
        train, kept = self._train, self._kept(number)

        def stream(origins: Origins, n_windows: int | None, owner: str) -> TrainLoader:
            return TrainLoader(self._source, origins, train.batch_size, n_windows, derive(self._spec.seed, owner, number))

        new = stream(self._origins(number), train.windows_per_epoch, "windows")
        if not len(kept):
            return Rehearsal(new, None, 1.0)
        listed = Origins.of(kept, self._data.offsets)
        return Rehearsal(new, stream(listed, new.windows_per_epoch, "replay"), train.new_stage_weight)

    def _kept(self, number: int) -> np.ndarray:
        """(n,): the origins of earlier stages that a stage replays."""
        train, earlier = self._train, range(number)
        if train.replay == "none" or not number:
            return np.empty(0, dtype=np.int64)
        if train.replay == "exact":
            return np.concatenate([self._origins(k).all() for k in earlier])
        names = [self._data.stages[k].name for k in earlier]
        if names[-1] not in self.kept:  # the network has just learned it
            self.kept[names[-1]] = torch.from_numpy(self._choose(number - 1))
        share = max(train.replay_size // number, 1)
        return np.concatenate([self.kept[name][:share].numpy() for name in names])

    def _choose(self, number: int) -> np.ndarray:
        origins, size, seed = self._origins(number), self._train.replay_size, derive(self._spec.seed, "kept", number)
        if self._train.replay == "random":
            return random_windows(origins, size, seed)
        return exemplars(self._network.to(self._spec.device), self._source, origins, size, seed, self._spec.n_parts)

    def _origins(self, number: int) -> Origins:
        return train_origins(self._data.stages[number], self._data.offsets, self._source.reach, self._data.horizon)
