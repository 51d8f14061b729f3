"""A study of one trial in this process, without Ray."""

from __future__ import annotations

import sys
from dataclasses import replace

import models.floors
from cluster.finish import compare_and_export, tabulate
from cluster.study_loop import StudyLoop
from search_spaces.base import Config
from tuner.results.store import RunStore, best_row
from tuner.study.problem_data import ProblemData
from tuner.study.study import Study
from tuner.study.trial import Decision, Report
from tuner.training.evaluate import Evaluation, NotRun, evaluate_floor, evaluate_weights
from tuner.training.outcome import Outcome
from tuner.training.trial import run_trial


def run_one(study: Study, store: RunStore, config: Config, data: ProblemData, accelerator: str, n_threads: int) -> Outcome:
    """Trains, evaluates and exports one config, with a printed line an epoch."""
    loop = StudyLoop.of(study, config, store)
    shared = loop.spec(accelerator=accelerator, n_threads=n_threads)
    loop.start(shared, placement=None)
    run = loop.next_trial()
    if loop.halted or run is None:
        raise loop.halted or AssertionError
    loop.begin(0, run.attempt)
    spec = replace(shared, config=config)
    terminal = sys.stdout  # while a trial runs, what it prints goes to its log

    def say(report: Report) -> Decision:
        value = report.metrics[study.problem.metric]
        seconds = sum(report.timing.values())
        print(
            f"epoch {report.epoch}: train loss {report.metrics['train_loss']:.4f}, validation {study.problem.metric} "
            f"{value:.4f}, {seconds:.1f} s",
            file=terminal,
            flush=True,
        )
        return loop.report(0, report, run.attempt)

    try:
        outcome = run_trial(spec, data.for_trials(), say)
        loop.end(0, outcome, run.attempt)
        if loop.halted:
            raise loop.halted
        best = best_row(store.rows())
        if best is not None:
            opened = data.opened()
            store.opening("the training is over", trials=[0], floors=models.floors.names())
            evaluations: list[Evaluation | NotRun] = [evaluate_weights("best", spec, store.weights(0), opened)]
            evaluations += [evaluate_floor(name, opened) for name in models.floors.names()]
            compare_and_export(store, opened, evaluations, best)
        store.event("end", broken=bool(loop.broken))
    finally:
        loop.close()
        with loop.writing():
            tabulate(store)
    return outcome
