from __future__ import annotations

import os
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tuner.results.runs import BASELINE, STUDY, Clock, add_trial, full_store, new_store, report, score
from tuner.results import schema
from tuner.results.schema import TIMING
from tuner.results.store import RunStore, best_row
from tuner.study.trial import Decision, State


def test_a_reader_sees_the_rows_of_the_writer(tmp_path: Path) -> None:
    store = full_store(tmp_path / "run")
    assert RunStore.open(tmp_path / "run").rows() == store.rows()


def test_rows_are_what_the_trials_did(tmp_path: Path) -> None:
    baseline, *_, infeasible = full_store(tmp_path / "run").rows()
    assert (baseline.state, baseline.epochs, baseline.value, baseline.config) == (State.FINISHED, 3, 0.4, BASELINE)
    assert (infeasible.state, infeasible.note) == (State.INFEASIBLE, "Diverged: the loss became nan")


def test_the_metrics_of_a_row_are_those_of_its_best_epoch(tmp_path: Path) -> None:
    assert full_store(tmp_path / "run").rows()[0].metrics["mae_scaled"] == pytest.approx(0.6)


def test_a_proposed_trial_waits_and_a_begun_one_runs(tmp_path: Path) -> None:
    store = new_store(tmp_path / "run")
    store.config(0, BASELINE, seed=7)
    store.config(1, BASELINE, seed=7)
    store.begin(1)
    assert [row.state for row in store.rows()] == [State.WAITING, State.RUNNING]
    assert [row.duration_s is None for row in store.rows()] == [True, False]


def test_a_duration_is_from_begin_to_tell(tmp_path: Path) -> None:
    store = new_store(tmp_path / "run")
    add_trial(store, [0.5], State.FINISHED)
    begin, *_, tell = (event["time_s"] for event in store.events() if event["kind"] != "ask")
    assert store.rows()[0].duration_s == tell - begin == 3.0


def test_events_are_numbered_in_order(tmp_path: Path) -> None:
    store = new_store(tmp_path / "run")
    add_trial(store, [0.5], State.FINISHED)
    assert [event["kind"] for event in store.events()] == ["ask", "begin", "report", "decision", "tell"]
    assert [event["n"] for event in store.events()] == [0, 1, 2, 3, 4]


def test_events_differ_only_in_timing_fields_when_a_study_repeats(tmp_path: Path) -> None:
    stores = [full_store(tmp_path / name) for name in ("a", "b")]
    stores[1].event("later")
    first, second = ([{k: v for k, v in e.items() if k not in TIMING} for e in store.events()] for store in stores)
    assert first == second[:-1]


def test_a_run_opened_again_goes_on_counting(tmp_path: Path) -> None:
    before = full_store(tmp_path / "run").events()[-1]
    again = RunStore.open(tmp_path / "run", Clock())
    again.event("more")
    after = again.events()[-1]
    assert after["n"] == before["n"] + 1
    assert after["time_s"] == before["time_s"] + 1


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return full_store(tmp_path_factory.mktemp("example") / "run").folder


@settings(deadline=None, max_examples=50)
@given(st.data())
def test_a_run_cut_at_any_byte_opens_with_what_came_before(example: Path, data: st.DataObject) -> None:
    with TemporaryDirectory() as folder:
        shutil.copytree(example, run := Path(folder) / "run")
        path = run / schema.EVENTS
        content = path.read_bytes()
        cut = data.draw(st.integers(0, len(content)))
        os.truncate(path, cut)
        assert len(RunStore.open(run).events()) == content[:cut].count(b"\n")
        assert len(RunStore.open(run).rows()) == content[:cut].rpartition(b"\n")[0].count(b'"kind": "ask"')


def test_reports_read_as_they_were_given_without_weights_and_log(tmp_path: Path) -> None:
    store = new_store(tmp_path / "run")
    store.config(0, BASELINE, seed=7)
    store.report(0, report(1, 0.5, best=b"w", log="hello\n"))
    assert store.reports(0) == [report(1, 0.5)]


def test_weights_and_log_of_reports_lie_in_the_trial(tmp_path: Path) -> None:
    store = new_store(tmp_path / "run")
    store.config(0, BASELINE, seed=7)
    store.report(0, report(1, 0.5, best=b"old", log="one\n"))
    store.report(0, report(2, 0.4, best=b"new", log="two\n"))
    store.report(0, report(3, 0.6))
    store.tell(0, State.FAILED, note="KeyError: 'a'", traceback="Traceback ...", log="three\n")
    assert store.weights(0) == b"new"
    assert (store.trial(0) / schema.LOG).read_text() == "one\ntwo\nthree\n"
    assert (store.trial(0) / schema.ERROR).read_text() == "Traceback ..."


def test_a_decision_is_an_event(tmp_path: Path) -> None:
    store = new_store(tmp_path / "run")
    store.decision(3, 9, Decision.STOP)
    event = store.events()[0]
    assert (event["number"], event["epoch"], event["decision"]) == (3, 9, "stop")


def test_every_json_file_and_line_has_the_schema_version(tmp_path: Path) -> None:
    store = full_store(tmp_path / "run")
    store.opening("the search is over")
    store.write_scores([score("best", 0.3)])
    files = list(store.folder.rglob("*.json*"))
    lines = [
        line for path in files for line in (path.read_text().splitlines() if path.suffix == ".jsonl" else [path.read_text()])
    ]
    assert len(files) == 12
    assert all('"schema_version": 1' in line for line in lines)


def test_scores_and_openings_read_as_they_were_written(tmp_path: Path) -> None:
    store = new_store(tmp_path / "run")
    assert store.scores() == []
    scores = [score("best", 0.3, by_channel={"mae": {"temp": 1.5}}), score("naive", 0.5, note="copies")]
    store.write_scores(scores)
    store.opening("the search is over", trials=[0, 1])
    assert store.scores() == scores
    assert [opening["trials"] for opening in store.openings()] == [[0, 1]]


def test_the_best_row_has_the_lowest_value_of_trials_that_ended_well(tmp_path: Path) -> None:
    best = best_row(full_store(tmp_path / "run").rows())
    assert best is not None
    assert best.number == 1


def test_a_study_without_values_has_no_best_row() -> None:
    assert best_row([]) is None


def test_a_folder_that_exists_is_refused(tmp_path: Path) -> None:
    new_store(tmp_path / "run")
    with pytest.raises(ValueError, match=r"needs a new folder, .*run exists; give another --name"):
        RunStore.create(tmp_path / "run")


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"file/run cannot be made: Not a directory"):
        RunStore.create(tmp_path / "file" / "run")


def test_a_folder_that_is_no_run_is_refused_and_the_runs_near_it_are_named(tmp_path: Path) -> None:
    new_store(tmp_path / "good")
    for wrong in (tmp_path, tmp_path / "absent"):
        with pytest.raises(LookupError, match=r"has none; the runs near it: .*good"):
            RunStore.open(wrong)


def test_a_run_of_a_newer_tuner_is_refused(tmp_path: Path) -> None:
    new_store(tmp_path / "run")
    (tmp_path / "run" / schema.STUDY).write_text('{"schema_version": 2}')
    with pytest.raises(ValueError, match="use a newer tuner"):
        RunStore.open(tmp_path / "run")


def test_the_study_reads_as_it_was_written(tmp_path: Path) -> None:
    new_store(tmp_path / "run")
    assert RunStore.open(tmp_path / "run").study() == STUDY
