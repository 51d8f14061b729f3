"""TPE: proposes where good configs are dense and bad ones rare.

Source: Bergstra, Bardenet, Bengio, Kégl: Algorithms for Hyper-Parameter Optimization, NeurIPS 2011; Optuna's multivariate
kind, with running trials counted as bad so that slots do not crowd.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import optuna

from cluster.samplers.optuna_base import OptunaSampler


class Tpe(OptunaSampler):
    """Optuna's TPE; the first ten configs are random."""

    _ARGUMENTS: Mapping[str, Any] = {"n_startup_trials": 10, "multivariate": True, "group": True, "constant_liar": True}

    def describe(self) -> dict[str, Any]:
        """What Optuna's sampler is made with, but for the seed."""
        return dict(self._ARGUMENTS)

    def make(self, seed: int) -> optuna.samplers.BaseSampler:
        """Multivariate, grouped by condition."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return optuna.samplers.TPESampler(seed=seed, **self._ARGUMENTS)


SAMPLER = Tpe
