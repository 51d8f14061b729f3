"""Draws configs without a sampler: uniform in each domain."""

from __future__ import annotations

import math
from random import Random

from search_spaces.base import Choice, Config, Domain, Float, Int, Ordinal, Space, Value


def draw(domain: Domain, random: Random) -> Value:
    """One value."""
    match domain:
        case Float(log=True):
            return min(max(math.exp(random.uniform(math.log(domain.low), math.log(domain.high))), domain.low), domain.high)
        case Float():
            return random.uniform(domain.low, domain.high)
        case Int():
            return random.randint(domain.low, domain.high)
        case Ordinal() | Choice():
            return random.choice(domain.values)
    raise TypeError(domain)


def sample(space: Space, seed: int) -> Config:
    """One config: every active key."""
    random = Random(seed)
    config: Config = {}
    for key, domain in space.search.items():
        if space.active(key, config):
            config[key] = draw(domain, random) if isinstance(domain, Domain) else domain
    return config
