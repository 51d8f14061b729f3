"""What all samplers share: a space told to Optuna, configs from its proposals, results back to it.

Optuna's own samplers carry a generator from one proposal to the next, so that a rebuilt one would diverge. Here each proposal
gets a sampler of its own, seeded by (study seed, number): a proposal is a function of the space, the seed, the number and
what was told, in order.
"""

from __future__ import annotations

from abc import abstractmethod

import optuna
from optuna.trial import Trial, TrialState

from cluster.samplers.base import Sampler
from search_spaces.base import Choice, Config, Domain, Float, Int, Ordinal, Space, Value, same
from tuner.study.seeds import derive
from tuner.study.trial import State, Told

optuna.logging.set_verbosity(optuna.logging.WARNING)


class OptunaSampler(Sampler):
    """A study of Optuna in memory; ``make`` names the algorithm."""

    def __init__(self, space: Space, seed: int) -> None:
        super().__init__(space, seed)
        self._study = optuna.create_study()
        self._trials: dict[int, Trial] = {}

    @abstractmethod
    def make(self, seed: int) -> optuna.samplers.BaseSampler:
        """A fresh sampler of Optuna's."""

    def ask(self, number: int) -> Config:
        """The config of trial ``number``."""
        self._study.sampler = self.make(derive(self.seed, "sampler", number))
        draft = self._study.ask()
        config: Config = {}
        for key, domain in self.space.search.items():
            if not isinstance(domain, Domain):
                config[key] = domain
            elif self.space.active(key, config):
                config[key] = _suggest(draft, key, domain)
        # Optuna keeps more of a draft than its config, which a sampler rebuilt from configs could not know: only begin enters.
        self._study.tell(draft, state=TrialState.FAIL)
        self.begin(number, config)
        return config

    def begin(self, number: int, config: Config) -> None:
        """Enters a config from elsewhere, so far as the space could have drawn it."""
        known = {
            key: _encode(domain, config[key])
            for key, domain in self.space.domains.items()
            if key in config and self.space.active(key, config) and domain.contains(config[key])
        }
        self._study.enqueue_trial(known)
        trial = self._trials[number] = self._study.ask()
        for key in known:
            _suggest(trial, key, self.space.domains[key])

    def tell(self, told: Told) -> None:
        """A finished trial counts by its best value; a stopped one by its reports, so that it never beats a finished one by
        an early value; an infeasible one as stopped without a report, which ranks it below all others, and one that was out of
        memory as breaking a constraint, which ranks it below those too; a failed one, which is the code's fault, not at all.
        """
        assert told.number in self._trials, told.number
        trial = self._trials.pop(told.number)
        match told.state:
            case State.FINISHED:
                self._study.tell(trial, told.values[-1][1])
            case State.STOPPED:
                for epoch, value in told.values:
                    trial.report(value, epoch)
                self._study.tell(trial, state=TrialState.PRUNED)
            case State.INFEASIBLE:
                if told.out_of_memory:
                    trial.set_constraint("memory", 1.0)  # others need none: a trial without constraints breaks none
                self._study.tell(trial, state=TrialState.PRUNED)
            case _:
                self._study.tell(trial, state=TrialState.FAIL)


def _suggest(trial: Trial, key: str, domain: Domain) -> Value:
    """The trial's value. Optuna sees listed values as indices: an Ordinal's neighbours are alike, a Choice's 1 is not True."""
    drawn: Value
    match domain:
        case Float():
            drawn = trial.suggest_float(key, domain.low, domain.high, log=domain.log)
        case Int():
            drawn = trial.suggest_int(key, domain.low, domain.high, log=domain.log)
        case Ordinal():
            drawn = domain.values[trial.suggest_int(key, 0, len(domain.values) - 1)]
        case Choice():
            drawn = domain.values[trial.suggest_categorical(key, range(len(domain.values)))]
        case _:
            raise TypeError(f"a domain is a Float, Int, Ordinal or Choice, got {domain!r}")
    return drawn


def _encode(domain: Domain, value: Value) -> Value:
    if isinstance(domain, Ordinal | Choice):
        return next(index for index, listed in enumerate(domain.values) if same(listed, value))
    return value
