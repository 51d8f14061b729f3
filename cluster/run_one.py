"""A study of one trial in this process, without Ray."""

from __future__ import annotations

import sys

import models.floors
from cluster.finish import compare_and_export, tabulate
from cluster.samplers import get as get_sampler
from cluster.schedulers import get as get_scheduler
from cluster.study_loop import StudyLoop
from search_spaces.base import Config
from tuner.results.store import RunStore, best_row
from tuner.study.problem_data import ProblemData
from tuner.study.study import Study
from tuner.study.trial import Decision, Report
from tuner.training.evaluate import Evaluation, NotRun, evaluate_floor, evaluate_weights
from tuner.training.outcome import Outcome
from tuner.training.trial import TrialSpec, run_trial


def run_one(study: Study, store: RunStore, config: Config, data: ProblemData, accelerator: str, n_threads: int) -> Outcome:
    """Trains, evaluates and exports one config, with a printed line an epoch."""
    loop = StudyLoop(
        study,
        config,
        get_sampler(study.sampler)(study.space, study.seed),
        get_scheduler(study.scheduler)(epochs=study.budget.epochs),
        store,
    )
    spec = TrialSpec(
        model=study.space.model,
        config=config,
        seed=loop.trial_seed,
        epochs=study.budget.epochs,
        metric=study.problem.metric,
        accelerator=accelerator,
        n_threads=n_threads,
        n_paths=study.problem.n_paths,
    )
    loop.start(spec, placement=None)
    loop.next_trial()
    loop.begin(0)
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
        return loop.report(0, report)

    try:
        outcome = run_trial(spec, data.for_trials(), say)
        loop.end(0, outcome)
        best = best_row(store.rows())
        if best is not None:
            opened = data.opened()
            store.opening("the training is over", trials=[0], floors=models.floors.names())
            evaluations: list[Evaluation | NotRun] = [evaluate_weights("best", spec, store.weights(0), opened)]
            evaluations += [evaluate_floor(name, opened) for name in models.floors.names()]
            compare_and_export(store, opened, evaluations, best)
        store.event("end")
    finally:
        loop.close()
        tabulate(store)
    return outcome
