"""A loop that plays the events of another goes on as if it were the other; with a real store and real samplers, no Ray."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from cluster.study_loop import StudyLoop
from search_spaces.base import Choice, Config, Float, Int, Ordinal, Space
from tuner.results import schema
from tuner.results import store as store_module
from tuner.results.evidence import Evidence
from tuner.results.store import RunStore, best_row, ranked
from tuner.study.study import Budget, Limits, Problem, Resources, Study
from tuner.study.trial import Decision, Report, State
from tuner.training.outcome import Outcome

SPACE = Space(
    "informer",
    {
        "train.learning_rate": Float(1e-4, 1e-1, log=True),
        "model.n_heads": Int(1, 8),
        "model.feedforward": Ordinal(8, 16, 32),
        "train.optimizer": Choice("adam", "sgd"),
        "train.momentum": Float(0.5, 0.99, when={"train.optimizer": "sgd"}),
    },
)
BASELINE: Config = {"train.learning_rate": 1e-3, "model.n_heads": 4, "model.feedforward": 16, "train.optimizer": "adam"}
N_TRIALS, EPOCHS = 9, 4


def make_study(folder: Path, **changes: Any) -> Study:
    study = Study(
        name=folder.name,
        space_name="mine",
        space=SPACE,
        problem=Problem(dataset="synthetic", horizon=4, metric="mse_scaled"),
        budget=Budget(n_trials=N_TRIALS, epochs=EPOCHS),
        sampler="tpe",
        scheduler="asha",
        seed=3,
        runs=folder.parent,
        resources=Resources(),
    )
    return replace(study, **changes)


def new_loop(study: Study, evidence: Sequence[Evidence] = ()) -> StudyLoop:
    store = RunStore.create(study.folder)
    store.write_study({**study.to_json(), "baseline": BASELINE, "evidence": [asdict(each) for each in evidence]})
    return StudyLoop.of(study, BASELINE, store)


def resumed_loop(folder: Path, **changes: Any) -> StudyLoop:
    store = RunStore.resume(folder)
    return StudyLoop.of(replace(Study.from_json(store.study(), folder), **changes), BASELINE, store)


def value_of(config: Config, epoch: int) -> float:
    """A learning curve: a function of the config and the epoch."""
    return abs(math.log10(float(config["train.learning_rate"])) + 2) + float(config["model.n_heads"]) / 8 + 1 / epoch


def drive(loop: StudyLoop, *, until: Callable[[int], bool] = lambda n: False, evidence: Sequence[Evidence] = ()) -> None:
    """One worker, which trains whatever it is handed until nothing is left, or until so many reports were made."""
    n_reports = 0
    loop.start(loop.spec(accelerator="cpu", n_threads=1), placement=None)
    while run := loop.next_trial():
        loop.begin(run.number, run.attempt)
        last = loop.store.last(run.number)
        for epoch in range(int(last or 0) + 1, loop.study.budget.epochs + 1):
            if until(n_reports):  # killed
                loop.store.close()
                return
            if loop.report(run.number, report(run.config, epoch), run.attempt) is not Decision.CONTINUE:
                break
            n_reports += 1
        else:
            infeasible = run.number == 5
            loop.end(run.number, Outcome(state=State.INFEASIBLE if infeasible else State.FINISHED), run.attempt)
    loop.close()
    loop.store.close()


def report(config: Config, epoch: int) -> Report:
    return Report(
        stage="fold", epoch=epoch, step=epoch, metrics={"mse_scaled": value_of(config, epoch)}, stages={},
        weights_sha256=str(epoch), best=str(epoch).encode(), last=str(epoch).encode(),
    )  # fmt: skip


def story(folder: Path) -> list[dict[str, Any]]:
    """What two studies must have in common: all that was asked, reported, decided and told, in order."""
    return [
        {key: value for key, value in event.items() if key not in ("n", *schema.TIMING)}
        for event in RunStore.open(folder).events()
        if event["kind"] in ("ask", "report", "decision", "tell")
    ]


def weights(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.safetensors")}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study that nothing interrupted."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    drive(new_loop(make_study(folder)))
    return folder


def cuts(folder: Path, into: Path) -> Iterator[Path]:
    """The study as a driver would leave it that was killed after each of its events, some files of later ones there already."""
    lines = (folder / schema.EVENTS).read_bytes().splitlines(keepends=True)
    for n in range(1, len(lines)):
        cut = into / f"cut-{n}"
        shutil.copytree(folder, cut)
        (cut / schema.EVENTS).write_bytes(b"".join(lines[:n]) + lines[n][: len(lines[n]) // 2])
        for row in RunStore.open(cut).rows():
            (cut / schema.TRIALS / str(row.number) / schema.LAST.format(epoch=row.epochs)).write_bytes(str(row.epochs).encode())
        yield cut


def test_a_study_that_is_cut_after_any_event_goes_on_as_if_it_had_not_been(whole: Path, tmp_path: Path) -> None:
    for cut in cuts(whole, tmp_path):
        drive(resumed_loop(cut))
        assert story(cut) == story(whole), cut.name
        assert {row.number: row.state for row in RunStore.open(cut).rows()} == {
            row.number: row.state for row in RunStore.open(whole).rows()
        }
        shutil.rmtree(cut)


def test_a_study_that_is_killed_again_and_again_keeps_the_weights_of_one_that_is_not(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    drive(new_loop(make_study(folder)), until=lambda n: n == 1)
    while len(RunStore.open(folder).rows()) < N_TRIALS:
        drive(resumed_loop(folder), until=lambda n: n == 2)
    drive(resumed_loop(folder))
    assert story(folder) == story(whole)
    assert weights(folder) == weights(whole)


class Killed(BaseException):
    """kill -9, between two operations on files."""


def killed_at(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the process end before its n-th write or removal of a file from now on."""
    left = [n]

    def dying(operation: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any, **options: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            return operation(*arguments, **options)

        return run

    for owner, name in ((store_module, "write_atomic"), (store_module, "append_line"), (Path, "unlink")):
        monkeypatch.setattr(owner, name, dying(getattr(owner, name)))


@pytest.mark.parametrize("n", [*range(2, 20), *range(20, 400, 29)])
def test_a_study_that_is_killed_between_any_two_operations_on_files_keeps_the_files_of_one_that_is_not(
    n: int, whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = new_loop(make_study(tmp_path / "study"))
    with monkeypatch.context() as patch, suppress(Killed):
        killed_at(n, patch)
        drive(loop)
    loop.store.close()
    drive(resumed_loop(tmp_path / "study"))
    assert story(tmp_path / "study") == story(whole)
    assert weights(tmp_path / "study") == weights(whole)


def test_a_trial_whose_checkpoint_is_gone_says_again_what_it_said_and_nothing_is_stored_twice(
    whole: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "study"
    drive(new_loop(make_study(folder)), until=lambda n: n == 3)
    for path in folder.rglob("last.*"):
        os.unlink(path)
    drive(resumed_loop(folder))
    assert story(folder) == story(whole)


def test_more_trials_begin_where_the_study_would_have_gone_on(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    drive(new_loop(make_study(folder, budget=Budget(n_trials=4, epochs=EPOCHS))))
    drive(resumed_loop(folder, budget=Budget(n_trials=N_TRIALS, epochs=EPOCHS)))
    assert story(folder) == story(whole)


def test_more_epochs_go_on_with_finished_trials_that_the_longer_ladder_lets_pass(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    shutil.copytree(whole, folder)
    before = RunStore.open(folder)
    finished = {row.number for row in before.rows() if row.state is State.FINISHED}
    curves = {number: before.reports(number) for number in finished}
    drive(resumed_loop(folder, budget=Budget(n_trials=N_TRIALS, epochs=12)))
    after = RunStore.open(folder)
    reopened = {event["number"] for event in after.events() if event["kind"] == "reopen"}
    assert reopened == finished
    assert all(after.row(number).epochs > EPOCHS for number in reopened)
    assert {number: after.reports(number)[:EPOCHS] for number in finished} == curves


def test_more_epochs_leave_finished_trials_as_they_are_that_a_new_rung_at_their_end_stops(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    drive(new_loop(make_study(folder, scheduler="none", budget=Budget(n_trials=N_TRIALS, epochs=3))))
    drive(resumed_loop(folder, scheduler="asha", budget=Budget(n_trials=N_TRIALS, epochs=9)))
    rows = RunStore.open(folder).rows()
    reopened = {event["number"] for event in RunStore.open(folder).events() if event["kind"] == "reopen"}
    assert 0 in reopened
    assert 0 < len(reopened) < len(rows)
    best = best_row(rows)
    assert best
    assert best.number in reopened
    assert all(row.epochs == 3 for row in rows if row.number not in reopened)
    n_events = len(RunStore.open(folder).events())
    drive(resumed_loop(folder))
    assert [event["kind"] for event in RunStore.open(folder).events()[n_events:]] == ["start"]


def test_a_longer_study_that_is_cut_goes_on_as_if_it_had_not_been(whole: Path, tmp_path: Path) -> None:
    longer, budget = tmp_path / "longer", Budget(n_trials=N_TRIALS + 3, epochs=12)
    shutil.copytree(whole, longer)
    n_before = len(RunStore.open(longer).events())
    drive(resumed_loop(longer, budget=budget))
    for cut in list(cuts(longer, tmp_path))[n_before + 1 :: 5]:
        drive(resumed_loop(cut))
        assert story(cut) == story(longer), cut.name


def test_a_narrower_space_leaves_out_what_it_does_not_hold_and_never_proposes_it(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    shutil.copytree(whole, folder)
    narrow = replace(SPACE, search={**SPACE.search, "model.n_heads": Int(1, 3)})
    drive(resumed_loop(folder, space=narrow, budget=Budget(n_trials=N_TRIALS + 6, epochs=EPOCHS)))
    store = RunStore.open(folder)
    rows = store.rows()
    assert [row.left_out for row in rows[:N_TRIALS]] == [row.config["model.n_heads"] > 3 for row in rows[:N_TRIALS]]
    assert all(row.config["model.n_heads"] <= 3 for row in rows[N_TRIALS:])
    assert Study.from_json(store.study(), folder).space == narrow


def test_a_trial_outside_the_space_is_not_the_best(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    shutil.copytree(whole, folder)
    best = best_row(RunStore.open(folder).rows())
    assert best
    search = {**SPACE.search, "train.learning_rate": Float(1e-4, best.config["train.learning_rate"] * 0.99, log=True)}
    drive(resumed_loop(folder, space=replace(SPACE, search=search)))
    now = best_row(RunStore.open(folder).rows())
    assert now
    assert now.number != best.number


def test_the_best_is_one_whose_weights_are_there(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    drive(new_loop(make_study(folder, scheduler="none", limits=Limits(keep_gb=1e-9))))
    best = best_row(RunStore.open(folder).rows())
    assert best
    search = {**SPACE.search, "train.learning_rate": Float(1e-4, best.config["train.learning_rate"] * 0.99, log=True)}
    drive(resumed_loop(folder, space=replace(SPACE, search=search)))
    store = RunStore.open(folder)
    now = best_row(store.rows())
    assert now
    assert now.number != best.number
    assert ranked(store.rows())[0].pruned
    assert store.weights(now.number)


def test_finished_trials_whose_checkpoints_are_gone_are_named_and_stay_as_they_are(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    drive(new_loop(make_study(folder, scheduler="none", budget=Budget(n_trials=15, epochs=2))))
    loop = resumed_loop(folder, scheduler="none", budget=Budget(n_trials=15, epochs=4))
    assert loop.cut_off == [row.number for row in loop.store.rows() if row.pruned and row.state is State.FINISHED]
    assert loop.cut_off
    drive(loop)
    short = [row.number for row in RunStore.open(folder).rows() if row.epochs == 2 and row.state is State.FINISHED]
    assert short == loop.cut_off


def test_another_scheduler_hears_what_was_reported_before(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    drive(new_loop(make_study(folder, scheduler="none")))
    loop = resumed_loop(folder, scheduler="asha", budget=Budget(n_trials=N_TRIALS + 2, epochs=EPOCHS))
    assert loop.scheduler.rungs()[0].n_reached == N_TRIALS
    drive(loop)
    assert RunStore.open(folder).study()["scheduler"] == "asha"


def test_trials_that_failed_are_tried_again_where_the_code_had_ended_the_study(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    loop = new_loop(make_study(folder))
    loop.start(loop.spec(accelerator="cpu", n_threads=1), placement=None)
    while run := loop.next_trial():
        loop.begin(run.number, run.attempt)
        loop.end(run.number, Outcome(state=State.FAILED, reason="a bug", place="model.py:7", traceback="..."), run.attempt)
    loop.store.event("end", broken=bool(loop.broken))
    loop.store.close()
    assert [row.state for row in RunStore.open(folder).rows()] == [State.FAILED] * 3
    drive(resumed_loop(folder))
    assert [row.number for row in RunStore.open(folder).rows() if row.state is State.FAILED] == []


@pytest.mark.parametrize("n_before", [1, 2, 3])
def test_failures_of_an_earlier_driver_count_and_end_the_study_or_are_tried_again(tmp_path: Path, n_before: int) -> None:
    """With the third the study was over, though its driver was lost before it could say so."""
    bug = Outcome(state=State.FAILED, reason="a bug", place="model.py:7", traceback="...")
    loop = new_loop(make_study(tmp_path / "study"))
    loop.start(loop.spec(accelerator="cpu", n_threads=1), placement=None)
    for _ in range(n_before):
        number, attempt = begin(loop)
        loop.end(number, bug, attempt)
    loop.store.close()
    loop = resumed_loop(tmp_path / "study")
    loop.start(loop.spec(accelerator="cpu", n_threads=1), placement=None)
    while not loop.broken:
        number, attempt = begin(loop)
        loop.end(number, bug, attempt)
    assert [row.number for row in loop.store.rows()] == [0, 1, 2]


def test_two_drivers_cannot_have_one_study(tmp_path: Path) -> None:
    loop = new_loop(make_study(tmp_path / "study"))
    with pytest.raises(ValueError, match=rf"a study has one driver, process {os.getpid()} on .* writes to"):
        RunStore.resume(tmp_path / "study")
    loop.store.close()
    RunStore.resume(tmp_path / "study").close()


# Evidence of another study.


def evidence(n: int) -> list[Evidence]:
    rates = [10 ** (-4 + 3 * k / n) for k in range(n)]
    configs: list[Config] = [{**BASELINE, "train.learning_rate": rate} for rate in rates]
    return [
        Evidence(
            study="other", number=k, config=config, state=State.FINISHED, values=((EPOCHS, value_of(config, EPOCHS)),),
            out_of_memory=False,
        )
        for k, config in enumerate(configs)
    ]  # fmt: skip


def test_a_study_that_begins_with_evidence_proposes_by_it_and_goes_on_by_it_when_it_is_cut(whole: Path, tmp_path: Path) -> None:
    warm = tmp_path / "warm"
    drive(new_loop(make_study(warm), evidence(12)))
    assert story(warm)[:1] == story(whole)[:1]
    asked = [[event["config"] for event in story(folder) if event["kind"] == "ask"][1] for folder in (warm, whole)]
    assert asked[0] != asked[1]
    for cut in list(cuts(warm, tmp_path))[13::7]:
        drive(resumed_loop(cut))
        assert story(cut) == story(warm), cut.name
    assert [row.number for row in RunStore.open(warm).rows()] == list(range(N_TRIALS))


# What happens to a running trial.


def begin(loop: StudyLoop) -> tuple[int, int]:
    run = loop.next_trial()
    assert run
    loop.begin(run.number, run.attempt)
    return run.number, run.attempt


@pytest.fixture
def loop(tmp_path: Path) -> StudyLoop:
    loop = new_loop(make_study(tmp_path / "study", limits=Limits(retries=1)))
    loop.start(loop.spec(accelerator="cpu", n_threads=1), placement=None)
    return loop


def test_a_trial_that_lost_its_worker_is_handed_out_again_before_a_new_one(loop: StudyLoop) -> None:
    number, attempt = begin(loop)
    loop.lose(number, attempt)
    again = loop.next_trial()
    assert again
    assert (again.number, again.attempt) == (0, attempt + 1)


def test_a_trial_fails_when_its_worker_was_lost_too_often(loop: StudyLoop) -> None:
    for _ in range(2):
        loop.lose(*begin(loop))
    row = loop.store.row(0)
    assert (row.state, row.note) == (State.FAILED, "its worker was lost, 2 times")


def test_a_machine_that_is_taken_away_is_no_failure(loop: StudyLoop) -> None:
    for _ in range(5):
        loop.lose(*begin(loop), counts=False)
    assert (loop.store.row(0).state, loop.store.row(0).n_failures) == (State.PAUSED, 0)


def test_a_trial_on_a_machine_that_is_leaving_gives_its_slot_back_and_goes_on(loop: StudyLoop) -> None:
    number, attempt = begin(loop)
    assert loop.report(number, report(BASELINE, 1), attempt, leaving=True) is Decision.PAUSE
    assert begin(loop)[0] == number


def test_what_is_heard_of_an_older_run_of_a_trial_counts_no_more(loop: StudyLoop) -> None:
    number, first = begin(loop)
    loop.lose(number, first)
    begin(loop)
    assert loop.report(number, report(BASELINE, 1), first) is Decision.STOP
    loop.lose(number, first)
    assert (loop.store.row(0).epochs, loop.store.row(0).n_failures, loop.store.row(0).state) == (0, 1, State.RUNNING)


def test_a_study_that_should_end_pauses_what_runs_after_its_epoch(loop: StudyLoop) -> None:
    number, attempt = begin(loop)
    loop.end_soon("it was interrupted")
    assert not loop.is_still
    assert loop.report(number, report(BASELINE, 1), attempt) is Decision.PAUSE
    assert loop.is_still
    assert (loop.store.row(0).state, loop.store.row(0).note) == (State.PAUSED, "it was interrupted")
    assert loop.next_trial() is None


def test_a_study_that_should_end_lets_a_trial_finish_its_last_epoch(loop: StudyLoop) -> None:
    number, attempt = begin(loop)
    loop.end_soon("it was interrupted")
    assert loop.report(number, report(BASELINE, EPOCHS), attempt) is Decision.CONTINUE


def test_a_trial_that_says_again_what_it_said_gives_its_slot_back_too(loop: StudyLoop) -> None:
    number, attempt = begin(loop)
    loop.report(number, report(BASELINE, 1), attempt)
    loop.lose(number, attempt)
    number, attempt = begin(loop)
    loop.end_soon("it was interrupted")
    assert loop.report(number, report(BASELINE, 1), attempt) is Decision.PAUSE
    assert loop.store.row(number).state is State.PAUSED


def out_of_memory(loop: StudyLoop, **config: Any) -> list[int]:
    """The parts in which trial 0 is tried until it is given up."""
    parts = []
    while loop.store.rows() == [] or not loop.store.row(0).state.over:
        run = loop.next_trial()
        assert run
        parts.append(run.n_parts)
        loop.begin(run.number, run.attempt)
        loop.end(run.number, Outcome(state=State.INFEASIBLE, reason="no memory", out_of_memory=True), run.attempt)
    return parts


def test_a_trial_that_runs_out_of_memory_is_infeasible(loop: StudyLoop) -> None:
    assert out_of_memory(loop) == [1]
    assert loop.store.row(0).state is State.INFEASIBLE


def test_a_batch_that_does_not_fit_goes_in_parts_while_there_are_any(tmp_path: Path) -> None:
    loop = new_loop(make_study(tmp_path / "study", limits=Limits(oom="split")))
    loop._baseline = {**BASELINE, "train.batch_size": 8}
    assert out_of_memory(loop) == [1, 2, 4, 8]


def test_a_trial_that_is_silent_for_too_long_is_overdue(tmp_path: Path) -> None:
    now = [0.0]
    loop = new_loop(make_study(tmp_path / "study", limits=Limits(trial_timeout_s=10)))
    loop._clock = lambda: now[0]
    number, attempt = begin(loop)
    for now[0], overdue in ((9.0, []), (11.0, [number])):
        assert loop.overdue() == overdue
    loop.report(number, report(BASELINE, 1), attempt)
    assert loop.overdue() == []


class FullDisk(RunStore):
    """From a moment on, nothing can be written."""

    is_full = False

    def event(self, kind: str, **fields: Any) -> None:
        if self.is_full:
            raise OSError(28, "No space left on device")
        super().event(kind, **fields)


def test_a_full_disk_ends_a_study_without_an_error_in_ray(tmp_path: Path) -> None:
    study = make_study(tmp_path / "study")
    store = FullDisk.create(study.folder)
    store.write_study({**study.to_json(), "baseline": BASELINE})
    loop = StudyLoop.of(study, BASELINE, store)
    number, attempt = begin(loop)
    store.is_full = True
    assert loop.report(number, report(BASELINE, 1), attempt) is Decision.STOP
    assert loop.is_still
    assert loop.halted
    store.is_full = False
    loop.end(number, Outcome(state=State.FINISHED), attempt)
    assert loop.next_trial() is None
    assert RunStore.open(study.folder).row(0).state is State.RUNNING


def test_the_time_that_ray_and_the_first_worker_take_to_start_is_no_part_of_the_limit(tmp_path: Path) -> None:
    now = [0.0]
    study = make_study(tmp_path / "study", budget=Budget(n_trials=9, epochs=EPOCHS, time_s=10.0))
    store = RunStore.create(study.folder, lambda: now[0])
    store.write_study({**study.to_json(), "baseline": BASELINE})
    loop = StudyLoop.of(study, BASELINE, store)
    for waited_s, ran_s, reason in ((60.0, 6.0, None), (50.0, 5.0, "its time is up")):
        now[0] += waited_s
        loop.start(loop.spec(accelerator="cpu", n_threads=1), placement=None)
        number, attempt = begin(loop)
        now[0] += ran_s
        assert loop.report(number, report(BASELINE, loop.store.row(0).epochs + 1), attempt) is not Decision.STOP
        assert loop.ending == reason
        store.close()
        store = RunStore.resume(study.folder, lambda: now[0])
        loop = StudyLoop.of(study, BASELINE, store)
    assert loop.is_done
