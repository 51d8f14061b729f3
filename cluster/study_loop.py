"""What a study does between two events, without Ray: propose, store, decide, tell. The adapters to Ray only carry messages."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import asdict
from typing import Any

import cluster.samplers
import cluster.schedulers
from cluster.samplers.base import Sampler
from cluster.schedulers.base import Scheduler
from search_spaces.base import Config
from tuner.results.store import RunStore
from tuner.results.tensorboard import TensorBoard
from tuner.study.environment import ENVIRONMENT
from tuner.study.metrics import rank
from tuner.study.seeds import derive
from tuner.study.study import Study
from tuner.study.trial import Decision, Report, State, Told
from tuner.training.outcome import Outcome
from tuner.training.trial import TrialSpec

SAME_FAILURES = 3
"""So many failures with the same exception at the same line end a study."""


class StudyLoop:
    """Proposals, reports and ends of trials pass through here, in one order, each stored before it is answered."""

    def __init__(self, study: Study, baseline: Config, sampler: Sampler, scheduler: Scheduler, store: RunStore) -> None:
        self.study = study
        self.store = store
        self.scheduler = scheduler
        self.trial_seed = derive(study.seed, "trial", 0)
        """The same for all configs, so that they are compared on the same windows and first weights."""
        self.broken: str | None = None
        """The traceback that ended the study, if the code is at fault."""
        self._sampler = sampler
        self._baseline = baseline
        self._configs: list[Config] = []
        self._values: dict[int, list[tuple[int, float]]] = {}
        self._over: set[int] = set()
        self._failures: Counter[str] = Counter()
        self._started = time.monotonic()
        self._board = TensorBoard(store.folder, study.space, study.problem.metric)

    @classmethod
    def of(cls, study: Study, baseline: Config, store: RunStore) -> StudyLoop:
        """With the sampler and the scheduler that the study names."""
        sampler = cluster.samplers.get(study.sampler)(study.space, study.seed)
        return cls(study, baseline, sampler, cluster.schedulers.get(study.scheduler)(epochs=study.budget.epochs), store)

    def spec(self, *, accelerator: str, n_threads: int) -> TrialSpec:
        """What all trials share; the config is for each to fill in."""
        return TrialSpec(
            model=self.study.space.model,
            config={},
            seed=self.trial_seed,
            epochs=self.study.budget.epochs,
            metric=self.study.problem.metric,
            accelerator=accelerator,
            n_threads=n_threads,
            n_paths=self.study.problem.n_paths,
        )

    @property
    def n_open(self) -> int:
        """Trials that were proposed and have not ended."""
        return len(self._configs) - len(self._over)

    def is_open(self, number: int) -> bool:
        """Whether a trial was proposed and has not ended."""
        return number < len(self._configs) and number not in self._over

    def start(self, spec: TrialSpec, placement: dict[str, Any] | None) -> None:
        """Stores what all trials share, and what they depend on besides."""
        shared = {name: value for name, value in asdict(spec).items() if name != "config"}
        self.store.event(
            "start",
            spec=shared,
            placement=placement,
            environment=ENVIRONMENT,
            sampler={"name": self.study.sampler, **self._sampler.describe()},
            scheduler={"name": self.study.scheduler, **self.scheduler.describe()},
        )

    def close(self) -> None:
        """No more will come."""
        self._board.close()

    def next_trial(self) -> tuple[int, Config] | None:
        """The next trial, stored as waiting; None when there will be no more."""
        budget, number = self.study.budget, len(self._configs)
        out_of_time = budget.time_s is not None and time.monotonic() - self._started > budget.time_s
        if number >= budget.n_trials or self.broken or out_of_time:
            return None
        if number == 0:
            config = dict(self._baseline)
            self._sampler.begin(0, config)
        else:
            config = self._sampler.ask(number)
        self._configs.append(config)
        self.store.config(number, config, self.trial_seed)
        return number, config

    def begin(self, number: int) -> None:
        """A worker has taken the trial."""
        self.store.begin(number)
        self._board.begin(number, self._configs[number])

    def report(self, number: int, report: Report) -> Decision:
        """Stores a report, then answers it; a trial that is stopped is told at once."""
        values = self._values.setdefault(number, [])
        metric = self.study.problem.metric
        best = min([rank(metric, report.metrics, report.stages), *(value for _, value in values[-1:])])
        values.append((report.epoch, best))
        self.store.report(number, report)
        self._board.report(number, report)
        decision = Decision.STOP if self.broken else self.scheduler.decide(number, report.epoch, best)
        self.store.decision(number, report.epoch, decision)
        if decision is Decision.STOP:
            self.end(number, Outcome(state=State.STOPPED))
        return decision

    def lose(self, number: int, when: str = "") -> None:
        """A trial will not be heard of again: its worker is gone, and Tune told nobody."""
        reason = f"its worker was lost{when}"
        self.end(number, Outcome(state=State.FAILED, reason=reason, place=reason))

    def end(self, number: int, outcome: Outcome) -> None:
        """Stores how a trial ended, and tells the sampler; only the first end counts."""
        if number in self._over:
            return
        self._over.add(number)
        self.store.tell(number, outcome.state, note=outcome.reason, traceback=outcome.traceback, log=outcome.log)
        self._board.end(number, outcome.state)
        values = tuple(self._values.get(number, ()))
        self._sampler.tell(Told(number=number, config=self._configs[number], state=outcome.state, values=values))
        if outcome.state is State.FAILED:
            self._failures[outcome.place] += 1
            if self._failures[outcome.place] == min(SAME_FAILURES, self.study.budget.n_trials):
                self.broken = outcome.traceback or outcome.reason
