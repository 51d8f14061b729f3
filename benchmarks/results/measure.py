"""One study through the product's own command, and the row that it leaves."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.results.tasks import MOST_MINUTES, Task
from search_spaces.base import Config
from tuner.results.schema import STUDY, Row, Standing
from tuner.results.store import RunStore, best_row
from tuner.study.schema import defaults_of

ROOT = Path(__file__).resolve().parents[2]
RUNS = ROOT / "runs" / "results"
KEPT = ("mse_scaled", "mae_scaled", "mase", "smape")


def measure(model: str, task: Task, data_dir: Path | None) -> dict[str, Any] | None:
    """The row of a model on a task; None if its study has not come to an end, which another call goes on with.

    Raises:
        LookupError, ValueError: the data is not there, or the folder holds no study of a commit.
    """
    folder = RUNS / f"{task.name}-{model}"
    arguments = ["--resume", str(folder)]
    if not (folder / STUDY).is_file():
        shutil.rmtree(folder, ignore_errors=True)  # was cut off before it began
        arguments = [*task.arguments(model), "--dataset", task.find(data_dir), "--runs", str(RUNS), "--name", folder.name]
        arguments += ["--data-dir", str(data_dir)] if data_dir else []
    else:
        check_commit(RunStore.open(folder).study()["commit"], f"the study in {folder}", "remove it")
    _run(arguments)
    store = RunStore.open(folder)
    return row(store, task) if store.is_complete and store.scores() else None


def check_commit(commit: str | None, where: str, way_out: str) -> None:
    """Proves that a row can say where it comes from.

    Raises:
        ValueError: outside git, or with changes.
    """
    if commit is None or commit.endswith("+changes"):
        raise ValueError(f"a row names the commit that it comes from, {where} has {commit or 'none'}; {way_out}")


def _run(arguments: list[str]) -> None:
    with subprocess.Popen([sys.executable, "-m", "tuner.run", *arguments], cwd=ROOT) as study:
        for patience_s in (60 * MOST_MINUTES - 40, 20, 20):
            try:
                study.wait(patience_s)
                break
            except subprocess.TimeoutExpired:
                study.send_signal(signal.SIGTERM)  # the first lets epochs end, the second does not; SIGINT may be ignored here
        else:  # the second had its time too
            study.kill()


def row(store: RunStore, task: Task) -> dict[str, Any]:
    """What is kept of a study that is over: nothing in it names the machine."""
    study, trials = store.study(), store.rows()
    scores, defaults = {standing.who: standing for standing in store.scores()}, defaults_of(study["space"]["model"])
    best, baseline = scores.pop("best"), scores.pop("baseline", None)
    return {
        "task": task.name,
        "model": study["space_name"],
        "command": " ".join(["python -m tuner.run", *task.arguments(study["space_name"])]),
        "commit": study["commit"],
        "versions": study["versions"],
        "data_sha256": study["data"]["sha256"],
        "seed": study["seed"],
        "n_slots": next(event["placement"]["n_slots"] for event in store.events() if event["kind"] == "start"),
        "seconds": round(store.time_s()),
        "n_trials": dict(Counter(trial.state for trial in trials)),
        "n_windows": best.n_windows,
        "baseline": _trained(baseline, trials[0], defaults) if baseline else None,
        "best": _trained(best, best_row(trials), defaults),
        "floors": {who: _scored(standing) for who, standing in scores.items() if standing.metrics},
    }


def _trained(standing: Standing, trial: Row | None, defaults: Config) -> dict[str, Any]:
    assert trial is not None
    return {"trial": trial.number, "epochs": trial.epochs, **_scored(standing), "config": {**defaults, **trial.config}}


def _scored(standing: Standing) -> dict[str, Any]:
    kept: dict[str, Any] = {
        part: {name: float(f"{metrics[name]:.6g}") for name in KEPT if name in metrics}
        for part, metrics in standing.metrics.items()
    }
    return {"lookback": standing.lookback, **kept}
