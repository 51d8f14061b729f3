"""Small made-up runs for the tests here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from search_spaces.base import Choice, Config, Float, Int, Ordinal, Space
from tuner.results.schema import Standing
from tuner.results.store import RunStore
from tuner.study.trial import Decision, Report, State

SPACE = Space(
    "informer",
    {
        "model.width": Ordinal(64, 128),
        "model.n_layers": Int(1, 4),
        "model.distil": Choice(True, False),
        "train.learning_rate": Float(1e-5, 1e-2, log=True),
        "train.optimizer": Choice("adam", "sgd"),
        "train.windows_per_epoch": Choice(None, 1000),
    },
)
BASELINE: Config = {
    "model.width": 64,
    "model.n_layers": 2,
    "model.distil": True,
    "train.learning_rate": 1e-4,
    "train.optimizer": "adam",
    "train.windows_per_epoch": None,
}
STUDY: dict[str, Any] = {
    "name": "example",
    "space_name": "informer",
    "space": SPACE.to_json(),
    "problem": {"dataset": "nyc_airports", "horizon": 24, "metric": "mse_scaled"},
    "budget": {"n_trials": 4, "epochs": 9},
    "sampler": "tpe",
    "scheduler": "asha",
    "seed": 0,
}


class Clock:
    """Goes on by a second whenever it is asked."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


def new_store(folder: Path) -> RunStore:
    store = RunStore.create(folder, Clock())
    store.write_study(STUDY)
    return store


def report(epoch: int, value: float, **fields: Any) -> Report:
    metrics = {"train_loss": value / 2, "mse_scaled": value, "mae_scaled": 1 - value, "learning_rate": 1e-3}
    timing = {"train_s": 2.0, "score_s": 1.0}
    return Report(
        stage="holdout", epoch=epoch, step=10 * epoch, metrics=metrics, weights_sha256=f"{epoch:x}", timing=timing, **fields
    )


def add_trial(store: RunStore, values: Sequence[float], state: State, note: str = "", **changes: Any) -> None:
    """A whole trial, with one report for each value."""
    number = len(store.rows())
    store.config(number, {**BASELINE, **{key.replace("__", "."): value for key, value in changes.items()}}, seed=7)
    store.begin(number)
    for epoch, value in enumerate(values, start=1):
        store.report(number, report(epoch, value))
        last = epoch == len(values) and state is State.STOPPED
        store.decision(number, epoch, Decision.STOP if last else Decision.CONTINUE)
    store.tell(number, state, note=note)


def full_store(folder: Path) -> RunStore:
    """The baseline, a better trial, a stopped one and an infeasible one."""
    store = new_store(folder)
    store.start(scheduler={"name": "asha", "rungs": [1, 3]})
    add_trial(store, [0.5, 0.4, 0.45], State.FINISHED)
    add_trial(store, [0.3, 0.2], State.FINISHED, model__width=128, train__learning_rate=0.002)
    add_trial(store, [0.9], State.STOPPED, train__optimizer="sgd")
    add_trial(store, [0.1], State.INFEASIBLE, note="Diverged: the loss became nan")
    return store


def score(who: str, value: float, n_test: int = 200, **fields: Any) -> Standing:
    metrics = {"mse_scaled": value, "mae_scaled": value / 2}
    return Standing(
        who=who,
        lookback=96,
        n_windows={"validation": 100, "test": n_test},
        metrics={"validation": metrics, "test": metrics},
        **fields,
    )
