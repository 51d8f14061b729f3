"""Continual learning: which windows of earlier stages are kept, and how a step mixes them with those of the new stage."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from datasets.base import IntArray
from datasets.windows.loaders import ScoreLoader, TrainLoader, WindowSource, permuted
from datasets.windows.windowing import Origins
from tuner.training.module import Step
from tuner.training.network import Network
from tuner.training.scoring import EVALUATION_BATCH

MOST_CANDIDATES, MOST_NUMBERS = 1 << 14, 1 << 25
"""Windows of a stage that herding looks at, and their features in all, 256 MB; of longer stages it sees a random part."""


class Rehearsal:
    """Batches of the new stage, each beside one of kept windows.

    Args:
        new: Of the new stage.
        kept: Of the windows that are kept, with as many windows an epoch; None where there are none.
        new_weight: Of the loss on the new windows.
    """

    def __init__(self, new: TrainLoader, kept: TrainLoader | None, new_weight: float) -> None:
        self.new, self.kept, self.new_weight = new, kept, new_weight

    def set_epoch(self, epoch: int) -> None:
        """The epoch of the stage, from 0, that the next iteration gives."""
        for loader in (self.new, self.kept):
            if loader is not None:
                loader.set_epoch(epoch)

    def __len__(self) -> int:
        """Steps an epoch."""
        return len(self.new)

    def __iter__(self) -> Iterator[Step]:
        if self.kept is None:
            yield from (Step(0, ((1.0, batch),)) for batch in self.new)
        else:
            for new, kept in zip(self.new, self.kept, strict=True):
                yield Step(0, ((self.new_weight, new), (1 - self.new_weight, kept)))


def random_windows(origins: Origins, size: int, seed: int) -> IntArray:
    """At most ``size`` origins, drawn without replacement; of a smaller size the first of them."""
    n = len(origins)
    places = np.arange(min(size, n), dtype=np.int64)
    return origins.take(permuted(places, n, seed, 0))


def exemplars(network: Network, source: WindowSource, origins: Origins, size: int, seed: int, n_parts: int = 1) -> IntArray:
    """The origins whose mean features come closest to that over all windows of a stage; of a smaller size the first of them.

    Herding: one after the other the window is taken that brings the mean of those taken closest to mu, by
    p_k = argmin_x || mu - (phi(x) + sum_{j<k} phi(p_j)) / k || (Rebuffi et al., "iCaRL", CVPR 2017, algorithm 4), where phi is
    ``Forecaster.features``. It takes them as they are: iCaRL's have length 1, for a forecast the length says how large it is.

    Args:
        network: As it has learned the stage.
        source: Where windows come from.
        origins: Of the training windows of the stage.
        size: Windows to take, at most.
        seed: Of the windows that are looked at, where there are too many.
        n_parts: So many times fewer windows at a time, where memory is short.
    """
    width = _features(network, source, origins.take(np.zeros(1, dtype=np.int64)), 1).shape[1]
    most = max(min(MOST_CANDIDATES, MOST_NUMBERS // width), 1)
    candidates = random_windows(origins, most, seed) if len(origins) > most else origins.all()
    features = _features(network, source, candidates, max(EVALUATION_BATCH // n_parts, 1))
    return candidates[herded(features, min(size, len(candidates)))]


def herded(features: Tensor, size: int) -> IntArray:
    """(size,): the rows of (n, F) features in the order in which herding takes them, none twice."""
    centred = features.double()
    centred -= centred.mean(0)
    squares, total = (centred**2).sum(1), torch.zeros_like(centred[0])
    chosen: list[int] = []
    for _ in range(size):  # || centred + total ||^2 without what all rows share
        distances = squares + 2 * centred @ total
        distances[chosen] = torch.inf
        chosen.append(int(distances.argmin()))
        total = total + centred[chosen[-1]]
    return np.array(chosen, dtype=np.int64)


def _features(network: Network, source: WindowSource, origins: IntArray, batch_size: int) -> Tensor:
    was_training = network.training
    network.eval()
    with torch.inference_mode():
        loader = ScoreLoader(source, Origins.of(origins, source.offsets), batch_size)
        parts = [network.model.features(batch.inputs, source.first_counted).float().cpu() for _, batch in loader]
    network.train(was_training)
    return torch.cat(parts)
