"""A row comes from a study that ended, at a commit; what was cut off goes on, what never began begins."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from benchmarks.results import __main__ as command
from benchmarks.results import measure as module
from benchmarks.results import page
from benchmarks.results.measure import measure
from benchmarks.results.tasks import TASKS
from tuner.results.schema import SCHEMA_VERSION, STUDY

TASK, HEAD = TASKS["sample-8"], "0" * 40


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[list[str]]:
    """The arguments of the studies that would have run, none of which leaves anything."""
    asked: list[list[str]] = []
    monkeypatch.setattr(module, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(module, "_run", asked.append)
    monkeypatch.setattr(page, "ROWS", tmp_path / "rows")
    monkeypatch.setattr(command, "commit", lambda: HEAD)
    monkeypatch.setattr(sys, "argv", ["results", "--model", "dlinear", "--task", TASK.name, "--data-dir", str(tmp_path)])
    monkeypatch.setattr(type(TASK), "find", lambda task, data_dir: task.dataset)
    return asked


def begun(commit: str | None) -> Path:
    """The folder of a study that was cut off."""
    folder = module.RUNS / f"{TASK.name}-dlinear"
    folder.mkdir(parents=True)
    (folder / STUDY).write_text(json.dumps({"schema_version": SCHEMA_VERSION, "commit": commit}))
    return folder


def test_a_study_that_never_began_begins_in_a_new_folder(asked: list[list[str]]) -> None:
    half_made = module.RUNS / f"{TASK.name}-dlinear"
    half_made.mkdir(parents=True)
    with pytest.raises(LookupError):  # nothing ran, so nothing is there
        measure("dlinear", TASK, None)
    assert not half_made.exists()
    assert asked[0][:2] == ["--space", "dlinear"]


def test_a_study_that_was_cut_off_goes_on(asked: list[list[str]]) -> None:
    folder = begun(HEAD)
    assert measure("dlinear", TASK, None) is None
    assert asked == [["--resume", str(folder)]]


@pytest.mark.parametrize("commit", [None, f"{HEAD}+changes"])
def test_a_study_that_names_no_commit_does_not_go_on(commit: str | None, asked: list[list[str]]) -> None:
    begun(commit)
    with pytest.raises(ValueError, match="a row names the commit that it comes from"):
        measure("dlinear", TASK, None)
    assert asked == []


@pytest.mark.parametrize("commit", [None, f"{HEAD}+changes"])
def test_nothing_is_measured_in_a_checkout_with_changes(
    commit: str | None, asked: list[list[str]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "commit", lambda: commit)
    with pytest.raises(SystemExit) as ended:
        command.main()
    assert ended.value.code == 2
    assert "commit what you changed first" in capsys.readouterr().err
    assert asked == []


def test_what_did_not_come_to_a_row_is_named(asked: list[list[str]], capsys: pytest.CaptureFixture[str]) -> None:
    begun(HEAD)
    assert command.main() == 1
    assert f"not measured: dlinear on {TASK.name}" in capsys.readouterr().err


def test_what_has_a_row_is_not_run_again(asked: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "commit", lambda: None)  # nor does it ask for a commit
    path = page.path_of("dlinear", TASK)
    path.parent.mkdir(parents=True)
    path.touch()
    assert command.main() == 0
    assert asked == []
