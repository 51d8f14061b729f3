"""A run folder that a crash has left, and the states between two drivers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tuner.results.runs import BASELINE, Clock, add_trial, full_store, new_store, report
from tuner.results import schema
from tuner.results.files import holder_of, write_atomic
from tuner.results.keeping import N_KEPT, overtaken, too_many
from tuner.results.schema import Row
from tuner.results.store import RunStore
from tuner.study.trial import State

APPENDED = (schema.EVENTS, schema.OPENINGS, f"{schema.TRIALS}/0/{schema.REPORTS}", f"{schema.TRIALS}/1/{schema.REPORTS}")


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = full_store(tmp_path_factory.mktemp("example") / "run")
    store.opening("the search is over", trials=[0])
    store.close()
    return store.folder


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_a_run_of_which_every_file_is_cut_at_any_byte_is_resumed_with_all_that_was_complete(
    example: Path, data: st.DataObject
) -> None:
    with TemporaryDirectory() as folder:
        shutil.copytree(example, run := Path(folder) / "run")
        whole = {}
        for name in APPENDED:
            content = (run / name).read_bytes()
            cut = data.draw(st.integers(0, len(content)), label=name)
            os.truncate(run / name, cut)
            whole[name] = content[:cut].count(b"\n")
        store = RunStore.resume(run)
        assert len(store.events()) == whole[schema.EVENTS]
        assert len(store.openings()) == whole[schema.OPENINGS]
        for row in store.rows():
            said = [event for event in store.events() if event["kind"] == "report" and event["number"] == row.number]
            assert len(store.reports(row.number)) == row.epochs == len(said)
            lines = (store.trial(row.number) / schema.REPORTS).read_text().splitlines() if said else []
            assert len(lines) == row.epochs
        store.event("more")
        store.close()
        assert [event["n"] for event in RunStore.open(run).events()] == list(range(whole[schema.EVENTS] + 1))


def test_every_byte_of_the_events_may_be_the_last(example: Path, tmp_path: Path) -> None:
    content = (example / schema.EVENTS).read_bytes()
    shutil.copytree(example, run := tmp_path / "run")
    for cut in range(len(content), -1, -1):
        os.truncate(run / schema.EVENTS, cut)
        assert len(RunStore.open(run).events()) == content[:cut].count(b"\n")


def test_what_ran_under_a_driver_that_was_lost_is_paused_when_another_starts(tmp_path: Path) -> None:
    store = new_store(tmp_path / "run")
    store.config(0, BASELINE, seed=7)
    store.begin(0)
    store.report(0, report(1, 0.5))
    store.close()
    again = RunStore.resume(tmp_path / "run", Clock())
    assert again.row(0).state is State.RUNNING
    again.start()
    assert (again.row(0).state, again.row(0).epochs, again.row(0).duration_s) == (State.PAUSED, 1, 1.0)


def test_a_duration_is_that_of_all_runs_of_a_trial(tmp_path: Path) -> None:
    store = new_store(tmp_path / "run")
    store.config(0, BASELINE, seed=7)
    for _ in range(2):
        store.begin(0)
        store.pause(0, "its worker was lost", counts=True)
    assert (store.row(0).duration_s, store.row(0).n_failures) == (2.0, 2)
    assert RunStore.open(store.folder).rows() == store.rows()


def test_the_weights_of_an_epoch_outlive_a_crash_before_its_event(tmp_path: Path) -> None:
    store = new_store(tmp_path / "run")
    store.config(0, BASELINE, seed=7)
    store.report(0, report(1, 0.5, best=b"one", last=b"one and more"))
    before = (store.folder / schema.EVENTS).read_bytes()
    store.report(0, report(2, 0.4, best=b"two", last=b"two and more"))
    (store.trial(0) / schema.BEST_WEIGHTS.format(epoch=1)).write_bytes(b"one")  # removed after the event, so still there
    (store.trial(0) / schema.LAST.format(epoch=1)).write_bytes(b"one and more")
    (store.folder / schema.EVENTS).write_bytes(before)
    again = RunStore.open(store.folder)
    assert (again.weights(0), again.last(0)) == (b"one", b"one and more")


def test_only_the_best_and_the_last_weights_of_a_trial_are_kept(tmp_path: Path) -> None:
    store = new_store(tmp_path / "run")
    store.config(0, BASELINE, seed=7)
    for epoch, (value, best) in enumerate([(0.5, b"a"), (0.4, b"b"), (0.6, None)], start=1):
        store.report(0, report(epoch, value, best=best, last=b"l"))
    assert sorted(path.name for path in store.trial(0).glob("*.safetensors")) == ["best.2.safetensors", "last.3.safetensors"]
    assert store.checkpoint_bytes(0) == 2


def test_a_stopped_trial_keeps_its_best_weights_and_a_finished_one_what_it_needs_to_go_on(tmp_path: Path) -> None:
    store = new_store(tmp_path / "run")
    for number, state in enumerate((State.STOPPED, State.FINISHED)):
        store.config(number, BASELINE, seed=7)
        store.report(number, report(1, 0.5, best=b"b", last=b"l"))
        store.tell(number, state)
    assert [store.has_last(number) for number in (0, 1)] == [False, True]
    assert [store.weights(number) for number in (0, 1)] == [b"b", b"b"]


def test_pruned_weights_are_gone_and_said_to_be(tmp_path: Path) -> None:
    store = new_store(tmp_path / "run")
    store.config(0, BASELINE, seed=7)
    store.report(0, report(1, 0.5, best=b"b", last=b"l"))
    store.prune(0)
    assert RunStore.open(store.folder).row(0).pruned
    assert list(store.trial(0).glob("*.safetensors")) == []
    assert store.events()[-1]["files"] == ["best.1.safetensors", "last.1.safetensors"]


def test_a_lock_is_let_go_when_its_process_is_killed(tmp_path: Path) -> None:
    new_store(tmp_path / "run").close()
    code = (
        "import sys, time; from pathlib import Path; from tuner.results.store import RunStore\n"
        "store = RunStore.resume(Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "run")], stdout=subprocess.PIPE, text=True) as driver:
        assert driver.stdout
        assert driver.stdout.readline() == "held\n"
        assert f"process {driver.pid}" in str(holder_of(tmp_path / "run" / schema.LOCK))
        with pytest.raises(ValueError, match=f"a study has one driver, process {driver.pid}"):
            RunStore.resume(tmp_path / "run")
        driver.kill()
    RunStore.resume(tmp_path / "run").close()
    assert holder_of(tmp_path / "run" / schema.LOCK) is None


def test_a_folder_that_is_no_run_gets_no_lock(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="has none"):
        RunStore.resume(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    write_atomic(tmp_path / "a", b"old")
    with pytest.raises(TypeError):
        write_atomic(tmp_path / "a", "no bytes")  # type: ignore[arg-type]
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"old")]


# Which weights may go.


def rows(*values: float, state: State = State.FINISHED) -> list[Row]:
    return [Row(number=n, state=state, config={}, epochs=1, best_epoch=1, value=value) for n, value in enumerate(values)]


def test_trials_that_enough_others_have_overtaken_lose_their_weights_but_never_the_baseline() -> None:
    some = rows(*(1 - n / 100 for n in range(N_KEPT + 3)))  # the baseline is the worst
    assert [row.number for row in overtaken(some)] == [2, 1]


def test_a_trial_that_still_runs_overtakes_nobody_and_keeps_its_weights() -> None:
    open_ = rows(*(n / 100 for n in range(N_KEPT + 3)), state=State.RUNNING)
    assert overtaken(open_) == []


def test_space_is_made_by_the_worst_trials_first_and_never_by_the_best_or_the_baseline() -> None:
    some = rows(0.9, 0.1, 0.5, 0.7)
    assert [row.number for row in too_many(some, lambda number: 10, limit=25)] == [3, 2]
    assert [row.number for row in too_many(some, lambda number: 10, limit=1)] == [3, 2]
    assert list(too_many(some, lambda number: 10, limit=40)) == []


def test_an_infeasible_trial_keeps_no_weights() -> None:
    some = [*rows(0.5, 0.4), Row(number=2, state=State.INFEASIBLE, config={}, epochs=1, best_epoch=1, value=0.1)]
    assert [row.number for row in overtaken(some)] == [2]


def test_a_cut_run_has_the_tables_of_what_is_left(example: Path, tmp_path: Path) -> None:
    from tuner.results.summary import markdown, summarise

    shutil.copytree(example, run := tmp_path / "run")
    lines = (run / schema.EVENTS).read_bytes().splitlines(keepends=True)
    for n in range(len(lines)):
        (run / schema.EVENTS).write_bytes(b"".join(lines[:n]))
        assert "of 4" in markdown(summarise(RunStore.open(run)))


def test_a_run_that_was_added_to_reads_the_same(tmp_path: Path) -> None:
    store = new_store(tmp_path / "run")
    add_trial(store, [0.5, 0.4], State.FINISHED)
    store.reopen(0)
    store.report(0, report(3, 0.3))
    assert RunStore.open(store.folder).rows()[0].epochs == 3
    assert [each.epoch for each in store.reports(0)] == [1, 2, 3]
