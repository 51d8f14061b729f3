"""Runs a study on Ray from the first proposal to the exported best: steps 4 to 10 of the spine."""

from __future__ import annotations

import io
import logging
import os
import tempfile
from collections.abc import Mapping
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import models.floors
from cluster.connect import Cluster, connected
from cluster.finish import compare_and_export, tabulate
from cluster.interrupts import interrupts
from cluster.nodes import check_nodes
from cluster.placement import Placement, place
from cluster.study_loop import StudyLoop
from datasets.windows.prepared import PreparedData
from tuner.results.schema import Row
from tuner.results.store import RunStore, best_row
from tuner.study.environment import ENVIRONMENT
from tuner.study.problem_data import ProblemData
from tuner.training.evaluate import Evaluation, NotRun, evaluate_floor, evaluation_of, score_weights
from tuner.training.spec import TrialSpec


class EvaluationFailed(RuntimeError):
    """The best has no score on the test rows, so nothing can be exported."""


class Watcher(Protocol):
    """Shows people what happens."""

    def started(self, cluster: Cluster, placement: Placement, loop: StudyLoop) -> None:
        """Ray is up; the loop knows what earlier drivers have stored."""

    def changed(self, loop: StudyLoop) -> None:
        """A trial began, reported or ended."""

    def evaluating(self) -> None:
        """The search is over, the test rows are opened."""


@dataclass(frozen=True, kw_only=True)
class StudyOutcome:
    """What a study came to."""

    loop: StudyLoop
    exported: Path | None
    """The folder of the best; None if no trial came to a score, or the code failed."""


def run_study(loop: StudyLoop, data: ProblemData, watcher: Watcher) -> StudyOutcome:
    """Searches, evaluates the best, the baseline and the floors on the test rows, exports the best.

    Args:
        loop: Of a study that is new, or that an earlier driver has left.
        data: The data of the study's problem. The test rows leave it when the search is over.
        watcher: Shows people what happens.

    Raises:
        EvaluationFailed: the best could not be evaluated.
        ScoreMismatch: its loaded weights are not worth what its trial reported.
        ClusterMismatch: the machines are not what the user asked for; nothing was proposed.
        Interrupted: somebody wanted it to end. It can be resumed.
    """
    study, store = loop.study, loop.store
    with interrupts(loop.end_soon) as signals, connected(study.resources.address, ENVIRONMENT) as found:
        signals.install()  # Ray has taken SIGTERM
        placement = place(found.nodes, study.resources.cpus_per_trial, study.resources.gpus_per_trial)
        if study.resources.address is not None:
            check_nodes(found.nodes, study.space.model)
        spec = loop.spec(
            accelerator="gpu" if placement.gpus_per_trial else "cpu", n_threads=max(1, int(placement.cpus_per_trial))
        )
        loop.start(spec, placement=asdict(placement))
        watcher.started(found, placement, loop)
        exported = None
        try:
            with signals.patience():
                _search(loop, data.for_trials(), spec, placement, watcher)
            if not loop.halted:
                exported = _finish(loop, data, spec, placement, watcher)
        finally:
            loop.close()
            with loop.writing():
                tabulate(store)
    return StudyOutcome(loop=loop, exported=exported)


def _search(loop: StudyLoop, data: PreparedData, spec: TrialSpec, placement: Placement, watcher: Watcher) -> None:
    from ray import tune

    from cluster.by_name import ByName
    from cluster.monitoring import Metrics
    from cluster.ray_scheduler import Machines, RayScheduler, Stillness, Watch, tell_of_memory
    from cluster.ray_search import RaySearch

    os.environ["TUNE_MAX_PENDING_TRIALS_PG"] = str(placement.n_slots)
    metrics = Metrics(loop.study.name, loop.study.problem.metric, placement.n_slots)

    def changed() -> None:
        watcher.changed(loop)
        metrics.changed(loop.store.rows())

    logging.getLogger("ray.tune").setLevel(logging.CRITICAL)
    resources = {"cpu": placement.cpus_per_trial, "gpu": placement.gpus_per_trial}
    tell_of_memory()
    machines = Machines(shared=loop.study.resources.address is not None)
    trainable = tune.with_parameters(ByName("cluster.trainable:run_in_actor"), data=data, spec=spec)
    with tempfile.TemporaryDirectory(prefix="tuner-") as scratch:
        tuner = tune.Tuner(
            tune.with_resources(trainable, resources),
            tune_config=tune.TuneConfig(
                search_alg=RaySearch(loop, placement.n_slots),
                scheduler=RayScheduler(loop, changed, machines),
                num_samples=-1,
                reuse_actors=True,
            ),
            run_config=tune.RunConfig(
                name="study",
                storage_path=scratch,
                verbose=0,
                callbacks=[Watch(loop, changed, machines)],
                stop=Stillness(loop),
            ),
        )
        with redirect_stdout(io.StringIO()):  # Tune prints a banner at any verbosity
            tuner.fit()
    if not loop.ending:
        loop.lose_all()
    metrics.changed(loop.store.rows(), last=True)


def _finish(loop: StudyLoop, data: ProblemData, spec: TrialSpec, placement: Placement, watcher: Watcher) -> Path | None:
    """Evaluates, exports and closes the study. A disk that is full at the end ends it as in the middle."""
    store, exported = loop.store, None
    best = None if loop.broken else best_row(store.rows())
    if best is not None:
        watcher.evaluating()
        opened, baseline = data.opened(), best_row(store.rows()[:1])
        trials = {"best": best} if baseline is None else {"best": best, "baseline": baseline}
        with loop.writing():
            numbers = sorted({row.number for row in trials.values()})
            store.opening("the search is over", trials=numbers, floors=models.floors.names())
        if loop.halted:
            return None
        evaluations = _evaluate(store, opened, trials, spec, placement)
        with loop.writing():
            exported = compare_and_export(store, opened, evaluations, best)
    if not loop.halted:
        with loop.writing():
            store.event("end", broken=bool(loop.broken))
    return exported


def _evaluate(
    store: RunStore, opened: PreparedData, trials: Mapping[str, Row], spec: TrialSpec, placement: Placement
) -> list[Evaluation | NotRun]:
    """The scores of trials and floors on what was opened.

    Raises:
        EvaluationFailed: that of the best has none. Any other that fails does not cost the export.
    """
    import ray

    shared, specs = ray.put(opened), {who: replace(spec, config=row.config, n_parts=row.n_parts) for who, row in trials.items()}
    resources: dict[str, Any] = {"num_cpus": placement.cpus_per_trial, "num_gpus": placement.gpus_per_trial}
    score = ray.remote(**resources)(score_weights)
    score_floor = ray.remote(num_cpus=1)(evaluate_floor)
    scores: dict[int, list[Any]] = {}  # the best may be the baseline
    for who, row in trials.items():
        if row.number not in scores:
            weights = ray.put(store.weights(row.number))
            scores[row.number] = [score.remote(specs[who], weights, shared, place) for place in range(len(opened.stages))]
    floors = {name: score_floor.remote(name, shared) for name in models.floors.names()}
    evaluations: list[Evaluation | NotRun] = []
    for who in [*trials, *floors]:
        try:
            if who in floors:
                evaluations.append(ray.get(floors[who]))
            else:
                evaluations.append(evaluation_of(who, specs[who], ray.get(scores[trials[who].number])))
        except ray.exceptions.RayError as error:
            reason = str(error).strip().splitlines()[-1]
            if who == "best":
                raise EvaluationFailed(f"the best, trial {trials[who].number}, could not be evaluated: {reason}") from error
            evaluations.append(NotRun(who=who, note=f"it failed, {reason}"))
    return evaluations
