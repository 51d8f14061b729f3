"""Quasi-random configs: a scrambled Sobol sequence, which fills the space more evenly than independent draws.

Source: Sobol', USSR Computational Mathematics and Mathematical Physics, 1967; scipy's implementation.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

from scipy.stats import qmc

from cluster.samplers.base import Sampler
from search_spaces.base import Choice, Config, Domain, Float, Int, Ordinal, Value
from tuner.study.seeds import derive
from tuner.study.trial import Told


class Qmc(Sampler):
    """Trial n is point n of the sequence. Each key has a coordinate of its own, conditional keys too."""

    def describe(self) -> dict[str, Any]:
        """The kind of sequence."""
        return {"sequence": "Sobol", "scramble": True}

    def ask(self, number: int) -> Config:
        """The config of trial ``number``."""
        domains = self.space.domains
        config: Config = {}
        with warnings.catch_warnings():
            # It warns of prefixes that are no power of two: a study takes what its budget gives.
            warnings.simplefilter("ignore", UserWarning)
            sequence = qmc.Sobol(max(len(domains), 1), scramble=True, rng=derive(self.seed, "sampler"))
            point = dict(zip(domains, sequence.random(number + 1)[-1].tolist(), strict=False))
        for key, domain in self.space.search.items():
            if not isinstance(domain, Domain):
                config[key] = domain
            elif self.space.active(key, config):
                config[key] = _at(domain, point[key])
        return config

    def begin(self, number: int, config: Config) -> None:
        """Nothing: the sequence goes on as it was."""

    def tell(self, told: Told) -> None:
        """Nothing is learnt."""


def _at(domain: Domain, share: float) -> Value:
    """The value below which ``share`` of the domain lies; share in [0, 1)."""
    match domain:
        case Float(low=low, high=high, log=True):
            return min(max(math.exp(math.log(low) + share * math.log(high / low)), low), high)
        case Float(low=low, high=high):
            return min(low + share * (high - low), high)
        case Int(low=low, high=high, log=True):
            return min(max(round(math.exp(math.log(low - 0.5) + share * math.log((high + 0.5) / (low - 0.5)))), low), high)
        case Int(low=low, high=high):
            return low + int(share * (high - low + 1))
        case Ordinal(values=values) | Choice(values=values):
            return values[int(share * len(values))]
        case _:
            raise TypeError(f"a domain is a Float, Int, Ordinal or Choice, got {domain!r}")


SAMPLER = Qmc
