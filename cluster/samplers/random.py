"""draft"""
from __future__ import annotations
import math
import random
from cluster.samplers.base import Sampler
from search_spaces.base import Choice, Float, Int, Ordinal
from tuner.study.seeds import derive


class Random(Sampler):
    def begin(self, number, config):
        pass

    def ask(self, number):
        rng = random.Random(derive(self.seed, number))
        config = {}
        for k, d in self.space.search.items():
            if not self.space.active(k, config):
                continue
            if isinstance(d, Float):
                config[k] = math.exp(rng.uniform(math.log(d.low), math.log(d.high))) if d.log else rng.uniform(d.low, d.high)
            elif isinstance(d, Int):
                config[k] = rng.randint(d.low, d.high)
            elif isinstance(d, (Ordinal, Choice)):
                config[k] = rng.choice(d.values)
            else:
                config[k] = d
        return config

    def tell(self, told):
        pass
