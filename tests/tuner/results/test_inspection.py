"""Run folders that are whole, that a crash has left, and that somebody has damaged."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tuner.results.runs import BASELINE, SPACE, Clock, report, score
from tuner.results import schema
from tuner.results.export import export_best
from tuner.results.files import append_line, write_json
from tuner.results.inspection import Finding, inspect
from tuner.results.store import RunStore
from tuner.results.summary import write_summary
from tuner.results.table import write_table
from tuner.study.study import Budget, Problem, Resources, Study
from tuner.study.trial import Decision, Report, State

STUDY = Study(
    name="run",
    space_name="informer",
    space=SPACE,
    problem=Problem(dataset="nyc_airports", horizon=24, metric="mse_scaled"),
    budget=Budget(n_trials=3, epochs=2),
    sampler="tpe",
    scheduler="asha",
    seed=0,
    runs=Path("runs"),
    resources=Resources(),
)


def safetensors(*values: int) -> bytes:
    """Two tensors of bytes, and a word about them."""
    half, n = len(values) // 2, len(values)
    spans = {"a": [0, half], "b": [half, n]}
    entries = {name: {"dtype": "U8", "shape": [b - a], "data_offsets": [a, b]} for name, (a, b) in spans.items()}
    header = json.dumps({"__metadata__": {"format": "pt"}, **entries}).encode()
    return len(header).to_bytes(8, "little") + header + bytes(values)


def whole_report(epoch: int, value: float, weights: bytes, *, improves: bool = True) -> Report:
    made = report(epoch, value, best=weights if improves else None, last=safetensors(epoch, *range(9)))
    return replace(made, weights_sha256=hashlib.sha256(weights).hexdigest())


def train(store: RunStore, *values: float, state: State | None = None) -> int:
    """A trial with one report for each value, and an end if it has a state."""
    number, best = len(store.rows()), float("inf")
    store.config(number, BASELINE, seed=7)
    store.begin(number)
    for epoch, value in enumerate(values, start=1):
        store.report(number, whole_report(epoch, value, safetensors(number, epoch, 0, 0), improves=value < best))
        store.decision(number, epoch, Decision.CONTINUE)
        best = min(best, value)
    if state:
        store.tell(number, state)
    return number


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """open: trials 0 finished, 1 running after two epochs, 2 waiting. ended: 0 and 1 finished, 2 stopped, all written."""
    folder = tmp_path_factory.mktemp("runs")
    for name in ("open", "ended"):
        store = RunStore.create(folder / name, Clock())
        store.write_study(STUDY.to_json())
        store.start(scheduler={"name": "asha", "rungs": [1]})
        train(store, 0.5, 0.6, state=State.FINISHED)
        if name == "open":
            train(store, 0.4, 0.3)
            store.config(2, BASELINE, seed=7)
        else:
            train(store, 0.4, 0.3, state=State.FINISHED)
            train(store, 0.9, state=State.STOPPED)
            store.opening("the search is over", trials=[0, 1])
            store.write_scores([score("best", 0.3)])
            weights = store.weights(1)
            export_best(store, weights=weights, stages={"fold": weights}, config={}, scaler={}, study=store.study(), score={})
            store.event("end", broken=False)
            write_table(store)
            write_summary(store)
        store.close()
    return folder


@pytest.fixture
def ended(examples: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(examples / "ended", tmp_path / "run"))


@pytest.fixture
def left(examples: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(examples / "open", tmp_path / "run"))


def said(found: Sequence[Finding], level: str) -> list[str]:
    return [f"{finding.what}; {finding.advice}" for finding in found if finding.level == level]


def only_error(run: Path) -> str:
    [error] = said(inspect(run), "error")
    return error


def only_warning(run: Path) -> str:
    found = inspect(run)
    assert said(found, "error") == []
    [warning] = [words for words in said(found, "warning") if "not all is done" not in words]
    return warning


def flip(path: Path, at: int = -1) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)


def cut(path: Path, by: int) -> None:
    os.truncate(path, path.stat().st_size - by)


def lines_of(run: Path) -> list[bytes]:
    return (run / schema.EVENTS).read_bytes().splitlines(keepends=True)


def test_a_study_that_ended_has_nothing_wrong_and_its_bytes_are_told_apart(ended: Path) -> None:
    found = inspect(ended)
    assert {finding.level for finding in found} == {"ok"}
    assert found[0].what == "no driver writes to it"
    assert "trials: 2 finished, 1 stopped, of 3" in [finding.what for finding in found]
    total = sum(path.stat().st_size for path in ended.rglob("*") if path.is_file())
    assert f"it takes {total / 1000:.3g} kB: best weights " in found[-1].what


def test_a_study_that_was_left_is_told_how_to_go_on(left: Path) -> None:
    found = inspect(left)
    assert said(found, "error") == []
    what = "trials: 1 waiting, 1 running, 1 finished, of 3; not all is done"
    assert said(found, "warning") == [f"{what}; python -m tuner.run --resume {left} goes on"]


def test_a_study_whose_time_was_up_is_told_to_have_more(left: Path) -> None:
    store = RunStore.resume(left, Clock())
    store.event("end", broken=False)
    store.close()
    write_table(store)
    write_summary(store)
    (left / schema.SCORES).touch()
    assert f"python -m tuner.run --resume {left} --time +1h goes on" in said(inspect(left), "warning")[0]


def test_inspecting_changes_nothing(left: Path) -> None:
    cut(left / schema.EVENTS, 3)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in left.rglob("*") if path.is_file()}
    inspect(left)
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in left.rglob("*") if path.is_file()} == before


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match=r"a run has a study\.json"):
        inspect(tmp_path)
    with pytest.raises(LookupError, match="absent has none"):
        inspect(tmp_path / "absent")


# Events.


@pytest.mark.parametrize("name", [schema.EVENTS, schema.OPENINGS])
def test_a_torn_last_line_is_no_fault(name: str, ended: Path) -> None:
    with (ended / name).open("ab") as file:
        file.write(b'{"schema_version": 1, "n": 9')
    found = inspect(ended)
    assert {finding.level for finding in found} == {"ok"}
    assert f"the last line of {name} is torn, as a crash leaves it" in [finding.what for finding in found]


def test_a_damaged_line_is_named_by_its_number_and_trials_are_left_alone(ended: Path) -> None:
    lines = lines_of(ended)
    (ended / schema.EVENTS).write_bytes(b"".join([*lines[:4], b"\0\0\0\n", *lines[5:7], b"{\n", *lines[8:]]))
    assert only_error(ended).startswith("line 5 of events.jsonl cannot be read, nor can 1 more: ")
    assert "keep its first 4 lines" in only_error(ended)
    assert said(inspect(ended), "warning") == ["trials/ and best/ were not looked at; mend what is above first"]


ORDERS: dict[str, tuple[Callable[[list[bytes]], list[bytes]], str]] = {
    "lost": (lambda lines: lines[:4] + lines[5:], "line 5 of events.jsonl has n=5 where 4 is due"),
    "doubled": (lambda lines: [*lines[:4], *lines[3:]], "line 5 of events.jsonl has n=3 where 4 is due"),
    "never asked": (
        lambda lines: [line.replace(b'"ask", "number": 1', b'"note", "number": 0') for line in lines],
        "speaks of trial 1, which was never asked for",
    ),
    "of no kind": (lambda lines: [line.replace(b'"kind": "end"', b'"kid": "end"') for line in lines], "it has no 'kind'"),
    "newer": (
        lambda lines: [line.replace(b'"schema_version": 1', b'"schema_version": 9') for line in lines],
        "schema_version 9, this tuner reads up to 1; use a newer tuner",
    ),
}


@pytest.mark.parametrize(("change", "words"), ORDERS.values(), ids=ORDERS)
def test_events_that_do_not_fit_together_are_an_error(
    change: Callable[[list[bytes]], list[bytes]], words: str, ended: Path
) -> None:
    (ended / schema.EVENTS).write_bytes(b"".join(change(lines_of(ended))))
    assert words in only_error(ended)


def test_time_that_goes_back_is_a_warning(ended: Path) -> None:
    events = [json.loads(line) for line in lines_of(ended)]
    events[5]["time_s"] = 0.5
    (ended / schema.EVENTS).write_text("".join(json.dumps(event) + "\n" for event in events))
    assert only_warning(ended).startswith("line 6 of events.jsonl has time_s=0.5 after ")


STUDIES = {
    "missing": (None, "study.json is missing; put back a copy of it"),
    "damaged": (b"{", "study.json must hold JSON"),
    "foreign": (b'{"schema_version": 1}', "study.json cannot be read: it has no 'space_name'"),
    "newer": (b'{"schema_version": 2}', "use a newer tuner"),
}


@pytest.mark.parametrize(("content", "words"), STUDIES.values(), ids=STUDIES)
def test_a_study_that_cannot_be_read_is_an_error(content: bytes | None, words: str, ended: Path) -> None:
    (ended / schema.STUDY).unlink() if content is None else (ended / schema.STUDY).write_bytes(content)
    assert words in only_error(ended)


def test_a_study_of_other_versions_is_a_warning(ended: Path) -> None:
    write_json(ended / schema.STUDY, {**STUDY.to_json(), "versions": {"torch": "1.0", "python": "3.0"}})
    assert "it was begun with python 3.0, now" in only_warning(ended) or "torch 1.0, now" in only_warning(ended)


# Trials.


def test_missing_best_weights_are_an_error_and_those_of_the_best_are_needed(ended: Path) -> None:
    (ended / "trials" / "1" / "best.2.safetensors").unlink()
    what = "trials/1/best.2.safetensors, the best weights of trial 1, is missing"
    assert only_error(ended) == f"{what}; put back a copy of it, the end of the study needs it"


def test_weights_that_were_pruned_are_not_missed(ended: Path) -> None:
    store = RunStore.resume(ended, Clock())
    store.prune(1)
    store.event("end", broken=False)
    store.close()
    assert said(inspect(ended), "error") == []
    assert not (ended / "trials" / "1" / "best.2.safetensors").exists()


def test_a_single_flipped_bit_in_the_best_weights_is_found_by_their_hash(ended: Path) -> None:
    flip(ended / "trials" / "2" / "best.1.safetensors")
    assert "is damaged: its sha256 is not that of its report; put back a copy of it, if there is one" in only_error(ended)


DAMAGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (lambda path: path.write_bytes(b""), "is cut off after 0 bytes"),
    "cut in the header": (lambda path: os.truncate(path, 50), "is cut off after 50 bytes"),
    "cut in the tensors": (lambda path: cut(path, 1), "is damaged: it has"),
    "longer": (lambda path: path.write_bytes(path.read_bytes() + b"x"), "is damaged: it has"),
    "no header": (lambda path: flip(path, 8), "is damaged: its header is not that of a safetensors file"),
    "a gap": (
        lambda path: path.write_bytes(path.read_bytes().replace(b"[0, 5]", b"[1, 5]")),
        "is damaged: its header places tensors where they cannot be",
    ),
}


@pytest.mark.parametrize(("damage", "words"), DAMAGES.values(), ids=DAMAGES)
def test_a_checkpoint_that_is_not_whole_is_an_error(damage: Callable[[Path], object], words: str, left: Path) -> None:
    damage(left / "trials" / "1" / "last.2.safetensors")
    assert only_error(left).startswith(f"trials/1/last.2.safetensors {words}")
    assert "delete it" in only_error(left)


def test_a_checkpoint_that_is_missing_costs_the_trial_its_epochs_and_no_more(left: Path) -> None:
    (left / "trials" / "1" / "last.2.safetensors").unlink()
    assert only_warning(left) == "trials/1/last.2.safetensors is missing; nothing to do, trial 1 begins again"


def test_a_trial_that_is_over_needs_no_checkpoint_to_go_on(ended: Path) -> None:
    (ended / "trials" / "1" / "last.2.safetensors").unlink()
    assert {finding.level for finding in inspect(ended)} == {"ok"}


CONFIGS = {
    "missing": (None, "is missing"),
    "damaged": ("{", "is damaged"),
    "another": ('{"schema_version": 1, "config": {}}', "is another than that of its event"),
}


@pytest.mark.parametrize(("content", "words"), CONFIGS.values(), ids=CONFIGS)
def test_a_config_that_is_not_that_of_the_event_loses_nothing(content: str | None, words: str, ended: Path) -> None:
    path = ended / "trials" / "2" / schema.CONFIG
    path.unlink() if content is None else path.write_text(content)
    assert only_warning(ended).startswith(f"trials/2/config.json {words}; nothing is lost")


def test_a_missing_folder_of_a_trial_is_an_error(ended: Path) -> None:
    shutil.rmtree(ended / "trials" / "2")
    assert only_error(ended).startswith("trials/2/ is missing")


def test_a_folder_that_a_crash_made_before_its_event_is_no_fault_and_any_other_is_asked_about(ended: Path) -> None:
    (ended / "trials" / "3").mkdir()
    assert {finding.level for finding in inspect(ended)} == {"ok"}
    (ended / "trials" / "5").mkdir()
    assert only_warning(ended).startswith("trials/5/ is of a trial that no event speaks of")


def test_reports_that_are_a_line_behind_or_ahead_are_no_fault(ended: Path) -> None:
    path = ended / "trials" / "1" / schema.REPORTS
    cut(path, 3)
    append_line(ended / "trials" / "2" / schema.REPORTS, {"epoch": 2})
    found = inspect(ended)
    assert {finding.level for finding in found} == {"ok"}
    assert [finding.what for finding in found if "a line" in finding.what] == [
        "trials/1/reports.jsonl is a line behind the events, as a crash leaves it",
        "trials/2/reports.jsonl is a line ahead of the events, as a crash leaves it",
    ]


@pytest.mark.parametrize("content", [b"", b"\0\n", b'{"schema_version": 1, "epoch": 2}\n{"schema_version": 1}\n'])
def test_reports_that_say_something_else_are_a_warning(content: bytes, ended: Path) -> None:
    (ended / "trials" / "1" / schema.REPORTS).write_bytes(content)
    assert only_warning(ended).startswith("trials/1/reports.jsonl is not what the events say; nothing is lost")


def test_what_writes_that_were_cut_short_have_left_is_named(ended: Path) -> None:
    names = [f"trials/{n}/.best.1.safetensors.ab_1234{n}" for n in range(3)] + [".best.old"]
    for name in names:
        (ended / name).touch()
    (ended / ".gitignore").touch()
    found = inspect(ended)
    assert {finding.level for finding in found} == {"ok"}
    [words] = [words for words in said(found, "ok") if "cut short" in words]
    assert words.startswith(f"writes that a crash cut short have left .best.old, {names[0]}, {names[1]} and 1 more; ")


# What is written at the end.


@pytest.mark.parametrize("name", [schema.SCORES, schema.TABLE, schema.SUMMARY, "best/config.json", "best/scaler.json", "best"])
def test_what_an_end_has_written_is_missed(name: str, ended: Path) -> None:
    shutil.move(ended / name, ended.parent)
    assert only_error(ended).startswith(f"{name} is missing; python -m tuner.run --resume {ended} --trials +1 writes it anew")


def test_exported_weights_that_are_not_those_of_the_config_are_an_error(ended: Path) -> None:
    flip(ended / schema.BEST / schema.WEIGHTS)
    assert only_error(ended).startswith("best/weights.safetensors is damaged: its sha256 is not that of config.json")


def test_exported_weights_of_a_fold_must_be_whole(ended: Path) -> None:
    cut(ended / schema.BEST / "weights.fold.safetensors", 1)
    assert only_error(ended).startswith("best/weights.fold.safetensors is damaged")


# While a driver writes.


def test_a_driver_that_writes_is_named_and_what_it_has_in_hand_is_no_fault(left: Path) -> None:
    store = RunStore.resume(left, Clock())
    with (left / schema.EVENTS).open("ab") as file:
        file.write(b'{"n"')
    cut(left / "trials" / "1" / schema.REPORTS, 1)
    (left / "trials" / "1" / ".last.3.safetensors.12345678").touch()
    found = inspect(left)
    store.close()
    assert {finding.level for finding in found} == {"ok"}
    assert found[0].what.startswith(f"process {os.getpid()} on ")
    assert not [finding for finding in found if "crash" in finding.what]


def test_weights_that_a_driver_has_replaced_since_the_first_look_are_looked_at_again(left: Path) -> None:
    from tuner.results.inspection import _Run, _trial, _trial_as_it_is_now

    run = _Run.read(left, held=True)
    store = RunStore.resume(left, Clock())
    store.report(1, whole_report(3, 0.2, safetensors(9, 9)))
    store.close()
    assert said(list(_trial(run, 1)), "error")
    assert _trial_as_it_is_now(run, 1) == []


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_whatever_byte_of_a_record_is_damaged_the_inspection_comes_to_its_end(examples: Path, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(str(p.relative_to(examples)) for p in examples.rglob("*.json*"))))
    with TemporaryDirectory() as folder:
        shutil.copytree(examples, run := Path(folder) / "runs")
        content = bytearray((run / name).read_bytes())
        at = data.draw(st.integers(0, len(content) - 1))
        content[at] = data.draw(st.integers(0, 255))
        (run / name).write_bytes(content)
        assert inspect(run / Path(name).parts[0])


@pytest.mark.parametrize("number", [0, 1, 2])
def test_every_byte_of_the_best_weights_counts(number: int, ended: Path) -> None:
    [path] = (ended / "trials" / str(number)).glob("best.*.safetensors")
    whole = path.read_bytes()
    for at in range(0, len(whole), 7):
        flip(path, at)
        assert "is damaged" in only_error(ended) or "is cut off" in only_error(ended)
        path.write_bytes(whole)
