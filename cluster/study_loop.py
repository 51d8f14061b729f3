"""What a study does between two events, without Ray: propose, store, decide, tell. The adapters to Ray only carry messages.

All that a loop knows is in the events of its store: a loop that is made for a store with events plays them, and goes on where
the driver that wrote them was lost, stopped or done.
"""

from __future__ import annotations

import json
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias

import cluster.samplers
import cluster.schedulers
from cluster.samplers.base import Sampler
from cluster.schedulers.base import Scheduler
from search_spaces.base import Config
from tuner.results.keeping import overtaken, too_many
from tuner.results.store import RunStore
from tuner.results.tensorboard import TensorBoard
from tuner.study.environment import ENVIRONMENT
from tuner.study.metrics import Merit, merit
from tuner.study.schema import defaults_of, split_config
from tuner.study.seeds import derive
from tuner.study.study import Study
from tuner.study.trial import Decision, Report, State, Told
from tuner.training.outcome import Outcome
from tuner.training.spec import TrialSpec

SAME_FAILURES = 3
"""So many trials that failed with the same exception at the same line end a study."""

LOST = "its worker was lost"

Event: TypeAlias = Mapping[str, Any]


class Answer(NamedTuple):
    """What a scheduler said to the last report of a trial."""

    epoch: int
    decision: Decision
    stored: bool


@dataclass(frozen=True)
class Broken:
    """Why a study cannot go on: every trial would end like the last ones."""

    reason: str
    traceback: str = ""


@dataclass(frozen=True, kw_only=True)
class Run:
    """One trial, handed out to a worker once."""

    number: int
    config: Config
    attempt: int
    """Counts all runs of a driver: what is heard of an older run of a trial is not heard."""
    n_parts: int


class StudyLoop:
    """Proposals, reports and ends of trials pass through here, in one order, each stored before it is answered.

    Nothing is raised when the run folder cannot be written: ``halted`` says why, and nothing more is handed out or stored.
    """

    def __init__(
        self,
        study: Study,
        baseline: Config,
        sampler: Sampler,
        scheduler: Scheduler,
        store: RunStore,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.study = study
        self.store = store
        self.scheduler = scheduler
        self.trial_seed = derive(study.seed, "trial", 0)
        """The same for all configs, so that they are compared on the same windows and first weights."""
        self.broken: Broken | None = None
        self.halted: OSError | None = None
        self._asked_to_end: str | None = None
        self._sampler = sampler
        self._baseline = baseline
        self._clock = clock
        self._configs: dict[int, Config] = {}
        self._merits: dict[int, Merit] = {}
        self._values: dict[int, list[tuple[int, float]]] = {}
        """(epoch, cost that the trial had come to), by trial."""
        self._ready: deque[int] = deque()
        """Open trials that wait for a slot."""
        self._out: dict[int, int] = {}
        """Trials that are handed out, with the attempt."""
        self._heard: dict[int, float] = {}
        """Trials that have a worker, and when they were last heard of."""
        self._n_attempts = 0
        self._board: TensorBoard | None = None
        defaults = defaults_of(study.space.model)
        self.left_out = sorted(row.number for row in store.rows() if not study.space.contains(row.config, defaults))
        """Trials that the space does not hold any more: kept, and counted no more."""
        self.cut_off: list[int]
        """Trials that finished a smaller budget, and have lost what they would need to go on: others had overtaken them."""
        self._failures: Counter[str]
        """Trials that have failed, by the place in the code."""
        events = store.events()
        self._used_before_s = used_s(events)
        """Of the study's time, by earlier drivers."""
        self._first_begin_s: float | None = None
        self._verdicts: dict[int, Decision] = {}
        """What today's scheduler says to the last report of each trial, whatever was said then."""
        self._unanswered = self._play_reports(events)
        self._reopened = self._find_reopened(events)
        self._play_proposals(events)

    @classmethod
    def of(cls, study: Study, baseline: Config, store: RunStore) -> StudyLoop:
        """With the sampler and the scheduler that the study names."""
        sampler = cluster.samplers.get(study.sampler)(study.space, study.seed)
        return cls(study, baseline, sampler, cluster.schedulers.get(study.scheduler)(epochs=study.budget.epochs), store)

    def _play_reports(self, events: Sequence[Event]) -> dict[int, Answer]:
        """Brings the scheduler to where the events end.

        Returns:
            Its answers to the last reports of trials, where no decision to go on is stored.
        """
        answers: dict[int, Answer] = {}
        for event in events:
            match event:
                case {"kind": "report", "number": number, "epoch": epoch}:
                    value = self._best(number, epoch, merit(self.study.problem.metric, event))
                    if number not in self.left_out:
                        self._verdicts[number] = self.scheduler.decide(number, epoch, value)
                        answers[number] = Answer(epoch, self._verdicts[number], stored=False)
                case {"kind": "decision", "number": number, "epoch": epoch, "decision": decision}:
                    answers[number] = Answer(epoch, Decision(decision), stored=True)
        return answers

    def _find_reopened(self, events: Sequence[Event]) -> set[int]:
        """Trials that are over and go on: under a larger budget that lets them pass, and where the code had ended the study."""
        places: dict[int, str] = {}
        for event in events:
            match event:
                case {"kind": "tell", "number": number, "state": State.FAILED, "place": place}:
                    places[number] = place
                case {"kind": "reopen", "number": number}:
                    places.pop(number, None)
        last = next((event for event in reversed(events) if event["kind"] not in ("start", "reopen")), {})
        was_broken = last.get("broken", False) or self._n_same in Counter(places.values()).values()
        passing = [
            row
            for row in self.store.rows()
            if row.number not in self.left_out and self._verdicts.get(row.number) is not Decision.STOP
        ]
        short = [row.number for row in passing if row.state is State.FINISHED and row.epochs < self.study.budget.epochs]
        self.cut_off = [number for number in short if not self.store.has_last(number)]
        failed = {row.number for row in passing if row.state is State.FAILED and was_broken}
        self._failures = Counter(place for number, place in places.items() if number not in failed)
        return {*short, *failed} - {*self.cut_off}

    @property
    def _n_same(self) -> int:
        return min(SAME_FAILURES, self.study.budget.n_trials)

    def _play_proposals(self, events: Sequence[Event]) -> None:
        """Brings the sampler to where the events end, and lines up what is open."""
        reopened = {event["number"]: event["n"] for event in events if event["kind"] == "reopen"}
        reopened |= dict.fromkeys(self._reopened, len(events))
        ended = set()
        for evidence in self.store.study().get("evidence", []):
            self._learn(evidence)
        for event in events:
            match event:
                case {"kind": "ask", "number": number, "config": config}:
                    self._configs[number] = config
                    if number not in self.left_out:
                        self._sampler.begin(number, config)
                case {"kind": "tell", "number": number, "n": n} if reopened.get(number, -1) < n:
                    ended.add(number)
                    if number not in self.left_out:
                        self._tell(number, State(event["state"]), event["out_of_memory"])
        self._ready.extend(number for number in self._configs if number not in {*ended, *self.left_out})

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
    def n_out(self) -> int:
        """Trials that are handed out."""
        return len(self._out)

    @property
    def ending(self) -> str | None:
        """Why running trials give their slots back, if they should."""
        limit = self.study.budget.time_s
        time_is_up = limit is not None and self._used_s() > limit
        return self._asked_to_end or ("the study's code failed" if self.broken else "its time is up" if time_is_up else None)

    @property
    def is_done(self) -> bool:
        """Whether nothing will be handed out any more, so far as can be known."""
        if self.halted or self.ending:
            return True
        return not self._ready and len(self._configs) >= self.study.budget.n_trials

    @property
    def is_still(self) -> bool:
        """Whether the study should end before all is done, and no trial would lose an epoch by it."""
        return bool(self.halted or (self.ending and not self._heard))

    def end_soon(self, why: str) -> None:
        """From now on nothing is handed out, and what runs is paused after its epoch."""
        self._asked_to_end = why

    def start(self, spec: TrialSpec, placement: dict[str, Any] | None) -> None:
        """Stores what all trials share, and what they depend on besides; for a study that goes on, what has changed.

        Args:
            spec: Of all trials.
            placement: Where they run.
        """
        shared = {name: value for name, value in asdict(spec).items() if name not in ("config", "n_parts")}
        now, before = json.loads(json.dumps(self.study.to_json())), self.store.study()
        with self.writing():
            self.store.start(
                study={name: value for name, value in now.items() if name != "name" and before.get(name) != value},
                left_out=self.left_out,
                spec=shared,
                placement=placement,
                environment=ENVIRONMENT,
                sampler={"name": self.study.sampler, **self._sampler.describe()},
                scheduler={"name": self.study.scheduler, **self.scheduler.describe()},
            )
            self._board = TensorBoard(self.store.folder, self.study.space, self.study.problem.metric)
            for number in sorted(self._reopened):
                self.store.reopen(number)
            for number in [number for number in self._ready if number in self._unanswered]:
                answer = self._unanswered[number]
                if not answer.stored:
                    self.store.decision(number, answer.epoch, answer.decision)
                if answer.decision is Decision.STOP and number not in self._reopened:
                    self._end(number, Outcome(state=State.STOPPED))

    def close(self) -> None:
        """No more will come."""
        if self._board:
            self._board.close()

    def next_trial(self) -> Run | None:
        """The next trial; one that is new is stored as waiting. None when there is none to hand out."""
        if self.is_done:
            return None
        with self.writing():
            number = self._ready.popleft() if self._ready else self._propose()
            self._n_attempts += 1
            self._out[number] = self._n_attempts
            row = self.store.row(number)
            return Run(number=number, config=row.config, attempt=self._n_attempts, n_parts=row.n_parts)
        return None

    def _propose(self) -> int:
        number = len(self._configs)
        config = dict(self._baseline) if number == 0 else self._sampler.ask(number)
        self.store.config(number, config, self.trial_seed)
        self._configs[number] = config
        if number == 0:
            self._sampler.begin(0, config)
        return number

    def is_out(self, number: int, attempt: int) -> bool:
        """Whether this run of a trial is the one that counts, and it has not ended."""
        return self._out.get(number) == attempt and not self.halted

    def begin(self, number: int, attempt: int) -> None:
        """A worker has taken the trial."""
        if not self.is_out(number, attempt):
            return
        with self.writing():
            self._heard[number] = self._clock()
            self.store.begin(number)
            if self._first_begin_s is None:
                self._first_begin_s = self.store.time_s()
            if self._board:
                self._board.begin(number, self._configs[number])

    def report(self, number: int, report: Report, attempt: int, *, leaving: bool = False) -> Decision:
        """Stores a report, then answers it; a trial that is stopped is told at once.

        Args:
            number: The trial.
            report: What it says.
            attempt: Of whom.
            leaving: Whether the machine that it runs on is about to be taken away.
        """
        if not self.is_out(number, attempt):
            return Decision.STOP
        self._heard[number] = self._clock()
        with self.writing():
            decision = Decision.CONTINUE
            # A trial whose checkpoint was gone says again what it said before.
            if report.epoch > self.store.row(number).epochs:
                value = self._best(number, report.epoch, merit(self.study.problem.metric, vars(report)))
                self.store.report(number, report)
                if self._board:
                    self._board.report(number, report)
                decision = self.scheduler.decide(number, report.epoch, value)
                self.store.decision(number, report.epoch, decision)
            if decision is Decision.STOP:
                self._end(number, Outcome(state=State.STOPPED))
            elif (self.ending or leaving) and report.epoch < self.study.budget.epochs:  # else it ends by itself, and better so
                self._pause(number, self.ending or "its machine is taken away")
                self._ready.appendleft(number)
                decision = Decision.PAUSE
            if self.study.limits.keep_gb is not None:
                self._keep()
            return decision
        return Decision.STOP

    def lose(self, number: int, attempt: int, why: str = LOST, *, counts: bool = True) -> None:
        """A trial will not be heard of again: its worker is gone. It goes on from its last report, unless that was too often.

        Args:
            number: The trial.
            attempt: Of whom.
            why: In a few words.
            counts: Whether it is a failure at all: a machine that was taken away is none.
        """
        if not self.is_out(number, attempt):
            return
        n_failures = self.store.row(number).n_failures
        if counts and n_failures >= self.study.limits.retries:
            reason = f"{why}, {n_failures + 1} times" if n_failures else why
            self.end(number, Outcome(state=State.FAILED, reason=reason, place=LOST), attempt)
        else:
            with self.writing():
                self._pause(number, why, counts=counts)
                self._ready.appendleft(number)

    def lose_all(self) -> None:
        """No trial that is out will be heard of again."""
        for number, attempt in list(self._out.items()):
            self.lose(number, attempt)

    def end(self, number: int, outcome: Outcome, attempt: int) -> None:
        """Stores how a trial ended, and tells the sampler; only the first end counts. Memory may be had in parts."""
        if not self.is_out(number, attempt):
            return
        with self.writing():
            n_parts = 2 * self.store.row(number).n_parts
            splits = outcome.out_of_memory and self.study.limits.oom == "split"
            if splits and n_parts <= split_config(self._configs[number])[1].batch_size:
                self._pause(number, f"out of memory, it goes on with batches in {n_parts} parts", n_parts=n_parts)
                self._ready.appendleft(number)
            else:
                self._end(number, outcome)

    def overdue(self) -> list[int]:
        """Trials that have not been heard of for longer than they may."""
        limit, now = self.study.limits.trial_timeout_s, self._clock()
        return [number for number, heard in self._heard.items() if limit is not None and now - heard > limit]

    def _end(self, number: int, outcome: Outcome) -> None:
        self.store.tell(
            number,
            outcome.state,
            note=outcome.reason,
            traceback=outcome.traceback,
            log=outcome.log,
            place=outcome.place,
            out_of_memory=outcome.out_of_memory,
        )
        self._away(number)
        if self._board:
            self._board.end(number, outcome.state)
        self._tell(number, outcome.state, outcome.out_of_memory)
        if outcome.state is State.FAILED:
            self._failures[outcome.place] += 1
            if self._failures[outcome.place] == self._n_same:
                self.broken = Broken(outcome.reason, outcome.traceback)
        self._keep()

    def _pause(self, number: int, why: str, *, counts: bool = False, n_parts: int | None = None) -> None:
        self.store.pause(number, why, counts=counts, n_parts=n_parts)
        self._away(number)

    def _away(self, number: int) -> None:
        self._out.pop(number, None)
        self._heard.pop(number, None)
        if number in self._ready:
            self._ready.remove(number)

    def _used_s(self) -> float:
        """Of the study's time. That in which Ray and the first worker start is no part of it."""
        return self._used_before_s + (0.0 if self._first_begin_s is None else self.store.time_s() - self._first_begin_s)

    def _tell(self, number: int, state: State, out_of_memory: bool) -> None:
        self._inform(number, self._configs[number], state, self._values.get(number, ()), out_of_memory)

    def _learn(self, evidence: Mapping[str, Any]) -> None:
        number, config, state = -1 - evidence["number"], evidence["config"], State(evidence["state"])
        self._sampler.begin(number, config)
        self._inform(number, config, state, evidence["values"], evidence["out_of_memory"])

    def _inform(self, number: int, config: Config, state: State, curve: Sequence[Sequence[float]], out_of_memory: bool) -> None:
        values = tuple((int(epoch), value) for epoch, value in curve if epoch <= self.study.budget.epochs)
        if state is State.FINISHED and values and values[-1][0] < self.study.budget.epochs:
            state = State.STOPPED  # under a smaller budget than today's
        self._sampler.tell(Told(number=number, config=config, state=state, values=values, out_of_memory=out_of_memory))

    def _best(self, number: int, epoch: int, found: Merit) -> float:
        """The cost that a trial has come to with this report, which is entered."""
        self._merits[number] = best = min(found, self._merits.get(number, found))
        self._values.setdefault(number, []).append((epoch, best[1]))
        return best[1]

    def _keep(self) -> None:
        """Removes the checkpoints that nobody needs, and those that there is no space for."""
        rows, limit = self.store.rows(), self.study.limits.keep_gb
        for row in overtaken(rows):
            self.store.prune(row.number)
        if limit is not None:
            for row in too_many(self.store.rows(), self.store.checkpoint_bytes, limit * 1e9):
                self.store.prune(row.number)

    @contextmanager
    def writing(self) -> Iterator[None]:
        """A disk that is full must not take Ray down, nor be written to again."""
        try:
            yield
        except OSError as error:
            self.halted = error


def used_s(events: Sequence[Event]) -> float:
    """Of a study's time: from the first begin of each driver to the last that it stored."""
    used, first = 0.0, None
    for before, event in pairwise([*events, {"kind": "start", "time_s": 0.0}]):
        if before["kind"] == "start":
            first = None
        elif before["kind"] == "begin" and first is None:
            first = before["time_s"]
        if event["kind"] == "start" and first is not None:
            used += before["time_s"] - first
    return used
