"""Independent random configs: the yardstick of every other sampler."""

from __future__ import annotations

import optuna

from cluster.samplers.optuna_base import OptunaSampler


class Random(OptunaSampler):
    """Learns nothing from what it is told."""

    def make(self, seed: int) -> optuna.samplers.BaseSampler:
        """Uniform over each domain."""
        return optuna.samplers.RandomSampler(seed=seed)


SAMPLER = Random
