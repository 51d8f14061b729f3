"""One study through the product's own command, and the row that it leaves."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.results.tasks import LIMIT_S, Task
from search_spaces.base import Config
from tuner.results.schema import Row, Standing
from tuner.results.store import RunStore, best_row
from tuner.study.schema import defaults_of

ROOT = Path(__file__).resolve().parents[2]
RUNS = ROOT / "runs" / "results"
KEPT = ("mse_scaled", "mae_scaled", "mase", "smape")
PATIENCE_S = 20
"""For an interrupted study to end; what it reported is kept anyway."""


def measure(model: str, task: Task, data_dir: Path | None) -> dict[str, Any] | None:
    """The row of a model on a task; None if its study has not come to an end, which another call goes on with.

    Raises:
        ValueError: the data is not there.
    """
    folder = RUNS / f"{task.name}-{model}"
    file = task.find_file(data_dir)
    if folder.exists():
        arguments = ["--resume", str(folder)]
    else:
        arguments = [*task.arguments(model), "--runs", str(RUNS), "--name", folder.name]
        arguments = [str(file) if file and word == task.dataset else word for word in arguments]
        arguments += ["--data-dir", str(data_dir)] if data_dir else []
    _run(arguments)
    store = RunStore.open(folder) if folder.exists() else None
    return row(store, task) if store and store.is_complete and store.scores() else None


def _run(arguments: list[str]) -> None:
    with subprocess.Popen([sys.executable, "-m", "tuner.run", *arguments], cwd=ROOT) as study:
        for patience_s in (LIMIT_S, PATIENCE_S):
            try:
                study.wait(patience_s)
                return
            except subprocess.TimeoutExpired:
                study.send_signal(signal.SIGINT)  # the first lets epochs end, the second does not


def row(store: RunStore, task: Task) -> dict[str, Any]:
    """What is kept of a study that is over: nothing in it names the machine."""
    study, trials = store.study(), store.rows()
    scores = {standing.who: standing for standing in store.scores()}
    best, defaults = best_row(trials), defaults_of(study["space"]["model"])
    return {
        "model": study["space_name"],
        "task": task.name,
        "command": " ".join(["python -m tuner.run", *task.arguments(study["space_name"])]),
        "commit": study["commit"],
        "versions": study["versions"],
        "data_sha256": study["data"]["sha256"],
        "seed": study["seed"],
        "n_slots": next(event["placement"]["n_slots"] for event in store.events() if event["kind"] == "start"),
        "seconds": round(store.time_s()),
        "n_trials": dict(Counter(trial.state for trial in trials)),
        "baseline": _trained(scores.get("baseline"), trials[0], defaults),
        "best": _trained(scores.get("best"), best, defaults),
        "floors": {who: _scored(score) for who, score in scores.items() if who not in ("best", "baseline") and score.metrics},
    }


def _trained(score: Standing | None, trial: Row | None, defaults: Config) -> dict[str, Any] | None:
    if score is None or trial is None:
        return None
    return {"trial": trial.number, "epochs": trial.epochs, **_scored(score), "config": {**defaults, **trial.config}}


def _scored(score: Standing) -> dict[str, Any]:
    kept: dict[str, Any] = {
        part: {name: float(f"{named[name]:.6g}") for name in KEPT if name in named} for part, named in score.metrics.items()
    }
    return {"lookback": score.lookback, "n_windows": score.n_windows, **kept}
