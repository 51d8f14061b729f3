"""The study between two events, with a real store and no Ray."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from cluster.samplers.base import Sampler
from cluster.schedulers.base import Rung, Scheduler
from cluster.study_loop import SAME_FAILURES, Broken, StudyLoop
from search_spaces.base import Config, Float, Space
from tuner.results.evidence import Evidence
from tuner.results.store import RunStore, best_row
from tuner.study.study import Budget, Problem, Resources, Study
from tuner.study.trial import Decision, Report, State, Told
from tuner.training.outcome import Outcome

SPACE = Space("dlinear", {"train.learning_rate": Float(0.001, 0.1)})


class Listing(Sampler):
    """Proposes rising rates, and remembers what it was told."""

    def __init__(self) -> None:
        super().__init__(SPACE, 0)
        self.told: list[Told] = []

    def ask(self, number: int) -> Config:
        return {"train.learning_rate": 0.001 * (number + 1)}

    def begin(self, number: int, config: Config) -> None:
        pass

    def tell(self, told: Told) -> None:
        self.told.append(told)


class StopAbove(Scheduler):
    """Stops what is worse than 1."""

    def __init__(self, *, epochs: int = 3) -> None:
        pass

    def decide(self, number: int, epoch: int, value: float) -> Decision:
        return Decision.STOP if value > 1 else Decision.CONTINUE

    def rungs(self) -> list[Rung]:
        return []


@pytest.fixture
def sampler() -> Listing:
    return Listing()


@pytest.fixture
def loop(tmp_path: Path, sampler: Listing) -> StudyLoop:
    return make_loop(tmp_path, sampler, "mse_scaled")


def make_loop(folder: Path, sampler: Listing, metric: str, **more: Any) -> StudyLoop:
    study = Study(
        name="s",
        space_name="dlinear",
        space=SPACE,
        problem=Problem(dataset="synthetic", horizon=4, metric=metric),
        budget=Budget(n_trials=5, epochs=3),
        sampler="listing",
        scheduler="stop_above",
        seed=0,
        runs=folder,
        resources=Resources(),
    )
    store = RunStore.create(study.folder)
    store.write_study({**study.to_json(), **more})
    return StudyLoop(study, {"train.learning_rate": 0.05}, sampler, StopAbove(), store)


def report(epoch: int, value: float, metric: str = "mse_scaled", apart: float = 1.0) -> Report:
    return Report(
        stage="fold_2",
        epoch=epoch,
        step=epoch,
        metrics={metric: value},
        stages={"fold_1": value - apart, "fold_2": value + apart},
        weights_sha256="0",
        best=b"w",
    )


def begin(loop: StudyLoop) -> tuple[int, int]:
    """The next trial, with a worker: number and attempt."""
    run = loop.next_trial()
    assert run
    loop.begin(run.number, run.attempt)
    return run.number, run.attempt


def test_trial_0_is_the_baseline(loop: StudyLoop) -> None:
    run = loop.next_trial()
    assert run
    assert (run.number, run.config) == (0, {"train.learning_rate": 0.05})


def test_there_are_as_many_trials_as_the_budget_says(loop: StudyLoop) -> None:
    proposals = [loop.next_trial() for _ in range(7)]
    assert [proposal is not None for proposal in proposals] == [True] * 5 + [False] * 2


def test_a_proposal_is_stored_before_it_starts(loop: StudyLoop) -> None:
    loop.next_trial()
    assert RunStore.open(loop.store.folder).rows()[0].state is State.WAITING


def test_a_report_is_stored_before_it_is_answered(loop: StudyLoop) -> None:
    _, attempt = begin(loop)
    loop.report(0, report(1, 0.5), attempt)
    assert [event["kind"] for event in RunStore.open(loop.store.folder).events()] == ["ask", "begin", "report", "decision"]


def test_a_stopped_trial_is_told_with_its_best_values(loop: StudyLoop, sampler: Listing) -> None:
    _, attempt = begin(loop)
    loop.report(0, report(1, 0.5), attempt)
    loop.report(0, report(2, 0.7), attempt)
    loop.end(0, Outcome(state=State.STOPPED), attempt)
    assert sampler.told[0].values == ((1, 0.5), (2, 0.5))


def test_a_stop_ends_the_trial_once(loop: StudyLoop, sampler: Listing) -> None:
    _, attempt = begin(loop)
    assert loop.report(0, report(1, 2.0), attempt) is Decision.STOP
    loop.end(0, Outcome(state=State.FINISHED), attempt)
    assert [told.state for told in sampler.told] == [State.STOPPED]


@pytest.mark.parametrize(
    ("metric", "values", "costs", "best"),
    [
        ("mse_scaled", (0.5, 0.4, 0.6), (0.5, 0.4, 0.4), 0.4),
        ("corr", (0.5, 0.4, 0.6), (-0.5, -0.5, -0.6), 0.6),
        ("coverage_80", (0.5, 0.875, 0.6), (0.3, 0.075, 0.075), 0.875),
    ],
)
def test_costs_are_told_and_values_are_shown(
    tmp_path: Path, sampler: Listing, metric: str, values: tuple[float, ...], costs: tuple[float, ...], best: float
) -> None:
    loop = make_loop(tmp_path, sampler, metric)
    _, attempt = begin(loop)
    for epoch, value in enumerate(values, start=1):
        loop.report(0, report(epoch, value, metric, apart=0), attempt)
    loop.end(0, Outcome(state=State.FINISHED), attempt)
    assert [value for _, value in sampler.told[0].values] == pytest.approx(costs)
    assert RunStore.open(loop.store.folder).rows()[0].value == best


@pytest.mark.parametrize(("metric", "best"), [("mse_scaled", 0), ("corr", 2), ("coverage_80", 1)])
def test_the_best_trial_has_the_lowest_cost(tmp_path: Path, sampler: Listing, metric: str, best: int) -> None:
    loop = make_loop(tmp_path, sampler, metric)
    for number, value in enumerate((0.4, 0.75, 0.9)):
        _, attempt = begin(loop)
        loop.report(number, report(1, value, metric, apart=0), attempt)
        loop.end(number, Outcome(state=State.FINISHED), attempt)
    row = best_row(RunStore.open(loop.store.folder).rows())
    assert row is not None
    assert row.number == best


def test_folds_that_miss_a_target_on_both_sides_are_told_stored_and_ranked_as_a_miss(tmp_path: Path, sampler: Listing) -> None:
    loop = make_loop(tmp_path, sampler, "coverage_80")
    for number, (value, apart) in enumerate([(0.8, 0.2), (0.75, 0.0)]):
        _, attempt = begin(loop)
        loop.report(number, report(1, value, "coverage_80", apart), attempt)
        loop.end(number, Outcome(state=State.FINISHED), attempt)
    rows = RunStore.open(loop.store.folder).rows()
    assert [row.cost for row in rows] == [told.values[0][1] for told in sampler.told] == pytest.approx([0.2, 0.05])
    assert best_row(rows) == rows[1]


def test_the_values_of_the_stages_are_stored(loop: StudyLoop) -> None:
    _, attempt = begin(loop)
    loop.report(0, report(1, 0.5), attempt)
    assert RunStore.open(loop.store.folder).reports(0)[0].stages == {"fold_1": -0.5, "fold_2": 1.5}


def fail(loop: StudyLoop, number: int, place: str) -> None:
    _, attempt = begin(loop)
    loop.end(number, Outcome(state=State.FAILED, reason="broken", place=place, traceback=f"traceback of {place}"), attempt)


def test_the_same_failure_three_times_ends_the_study(loop: StudyLoop) -> None:
    for number in range(SAME_FAILURES):
        fail(loop, number, "ValueError at model.py:7")
    assert loop.broken == Broken("broken", "traceback of ValueError at model.py:7")
    assert loop.next_trial() is None


def test_different_failures_do_not_end_the_study(loop: StudyLoop) -> None:
    for number in range(SAME_FAILURES):
        fail(loop, number, f"ValueError at model.py:{number}")
    assert loop.broken is None


def test_an_infeasible_trial_does_not_end_the_study(loop: StudyLoop) -> None:
    for number in range(4):
        _, attempt = begin(loop)
        loop.end(number, Outcome(state=State.INFEASIBLE, reason="diverged"), attempt)
    assert loop.next_trial() is not None


@pytest.mark.parametrize(
    ("n_epochs", "state", "n_heard"), [(2, State.STOPPED, 2), (3, State.FINISHED, 3), (4, State.FINISHED, 3)]
)
def test_evidence_of_another_budget_is_told_as_far_as_this_one_goes(
    tmp_path: Path, sampler: Listing, n_epochs: int, state: State, n_heard: int
) -> None:
    values = tuple((epoch, 1 / epoch) for epoch in range(1, n_epochs + 1))
    found = Evidence(study="t", number=4, config={}, state=State.FINISHED, values=values, out_of_memory=False)
    make_loop(tmp_path, sampler, "mse_scaled", evidence=[asdict(found)])
    assert sampler.told == [Told(number=-5, config={}, state=state, values=values[:n_heard])]


def test_after_a_turn_a_trial_is_judged_by_what_it_is_worth_then(loop: StudyLoop, sampler: Listing) -> None:
    _, attempt = begin(loop)
    assert loop.report(0, report(1, 0.5), attempt) is Decision.CONTINUE
    assert loop.report(0, replace(report(2, 1.5), turn=1), attempt) is Decision.STOP
    assert sampler.told[0].values == ((1, 0.5), (2, 1.5))


def test_a_turn_that_is_played_again_is_judged_like_that_too(tmp_path: Path) -> None:
    loop = make_loop(tmp_path, Listing(), "mse_scaled")
    _, attempt = begin(loop)
    loop.report(0, report(1, 0.5), attempt)
    loop.report(0, replace(report(2, 0.75), turn=1), attempt)
    loop.store.close()
    sampler = Listing()
    again = StudyLoop(loop.study, {}, sampler, StopAbove(), RunStore.resume(loop.store.folder))
    again.start(again.spec(accelerator="cpu", n_threads=1), None)
    run = again.next_trial()
    assert run
    again.end(0, Outcome(state=State.FINISHED), run.attempt)
    assert sampler.told[0].values == ((1, 0.5), (2, 0.75))
