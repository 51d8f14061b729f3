from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.tuner.results.runs import full_store, score
from tuner.results.export import export_best
from tuner.results.table import write_table

# Everything that reading a run must do without.
BLOCKED = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {absent}:
            raise ModuleNotFoundError(name + " is absent")
sys.meta_path.insert(0, Absent())
"""
HEAVY = ("ray", "torch", "pytorch_lightning", "lightning", "optuna", "pandas", "numpy", "tensorboard", "safetensors", "scipy")


def _python(code: str, absent: tuple[str, ...] = HEAVY) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", BLOCKED.replace("{absent}", repr(absent)) + code]
    return subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[3])


def _show(*words: str) -> str:
    return (
        f"sys.argv = ['show', {', '.join(map(repr, words))}]\nimport runpy\nrunpy.run_module('tuner.show', run_name='__main__')"
    )


def test_a_run_is_shown_with_the_standard_library_rich_and_typer_alone(tmp_path: Path) -> None:
    store = full_store(tmp_path / "run")
    store.write_scores([score("best", 0.3), score("naive", 0.5)])
    done = _python(_show(str(store.folder)))
    assert (done.returncode, done.stderr) == (0, "")
    assert "Best is trial 1" in done.stdout


def test_a_run_is_read_tabulated_and_exported_with_the_standard_library_alone(tmp_path: Path) -> None:
    store = full_store(tmp_path / "run")
    code = (
        "from pathlib import Path\nfrom tuner.results import export, summary, table\nfrom tuner.results.store import RunStore\n"
        f"store = RunStore.open(Path({str(store.folder)!r}))\n"
        "table.write_table(store); summary.write_summary(store)"
    )
    done = _python(code, (*HEAVY, "rich", "typer"))
    assert done.stderr == ""
    assert (store.folder / "summary.md").exists()
    assert (store.folder / "trials.csv").exists()


def test_help_imports_nothing_heavy() -> None:
    done = _python(_show("--help"))
    assert done.returncode == 0
    assert "Print what a run found" in done.stdout


def test_a_folder_that_is_no_run_ends_with_one_sentence_and_exit_code_2(tmp_path: Path) -> None:
    done = _python(_show(str(tmp_path)))
    assert done.returncode == 2
    assert done.stderr == f"error: a run has a study.json, {tmp_path} has none; python -m tuner.run makes one\n"


def test_the_summary_names_what_lies_in_the_folder(tmp_path: Path) -> None:
    store = full_store(tmp_path / "run")
    write_table(store)
    export_best(store, weights=b"w", config={}, scaler={}, study=store.study(), score={})
    done = _python(_show(str(store.folder)))
    assert "best (the best model, and how to use it), trials.csv (all trials)" in " ".join(done.stdout.split())
