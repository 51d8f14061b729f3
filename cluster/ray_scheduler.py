"""The study's decisions as a TrialScheduler of Ray Tune."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ray.tune import Callback
from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler

from cluster.study_loop import StudyLoop
from tuner.study.trial import Decision, State
from tuner.training.outcome import Outcome


class RayScheduler(FIFOScheduler):  # type: ignore[misc]
    """Passes reports to the study and its answers to Tune."""

    def __init__(self, loop: StudyLoop, changed: Callable[[], None]) -> None:
        super().__init__()
        self._loop = loop
        self._changed = changed

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Tune pickles what it is given, and that is never read back."""
        return {}

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        """One message of a trial: a report, or its end."""
        number: int = trial.config["number"]
        decision = TrialScheduler.CONTINUE
        if "report" in result:
            if self._loop.report(number, result["report"]) is Decision.STOP:
                decision = TrialScheduler.STOP
        elif "outcome" in result:
            self._loop.end(number, result["outcome"])
        self._changed()
        return decision  # type: ignore[no-any-return]

    def on_trial_error(self, tune_controller: Any, trial: Trial) -> None:
        """The worker itself died: nothing in it could send a word."""
        number: int = trial.config["number"]
        error = Path(trial.error_file).read_text().strip() if trial.error_file else "its worker ended without a word"
        out_of_memory = "OutOfMemoryError" in error or "running low on memory" in error
        state = State.INFEASIBLE if out_of_memory else State.FAILED
        reason = "its worker ran out of memory" if out_of_memory else error.splitlines()[-1].partition(". ")[0]
        self._loop.end(number, Outcome(state=state, reason=reason, place=reason, traceback=error))
        self._changed()


_TICK_S = 0.5


class Watch(Callback):  # type: ignore[misc]
    """Tells the study which trial has a worker, and keeps weights out of what Tune remembers."""

    def __init__(self, loop: StudyLoop, changed: Callable[[], None]) -> None:
        self._loop = loop
        self._changed = changed
        self._ticked = time.monotonic()

    def __getstate__(self) -> dict[str, Any]:
        """Nothing, as above."""
        return {}

    def on_trial_start(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        """A worker has taken the trial."""
        self._loop.begin(trial.config["number"])
        self._changed()

    def on_step_end(self, iteration: int, trials: list[Trial], **info: Any) -> None:
        """Tune tells nobody when a warm actor cannot be given its next trial; its slot would count as taken for ever."""
        lost = [trial for trial in trials if trial.status == Trial.ERROR and self._loop.is_open(trial.config["number"])]
        for trial in lost:
            self._loop.lose(trial.config["number"])
        now = time.monotonic()
        if lost or now - self._ticked >= _TICK_S:  # clocks go on between two reports
            self._ticked = now
            self._changed()

    def on_trial_result(self, iteration: int, trials: list[Trial], trial: Trial, result: dict[str, Any], **info: Any) -> None:
        """The study has stored the message; Tune needs to keep nothing of it."""
        result.pop("report", None)
        result.pop("outcome", None)
