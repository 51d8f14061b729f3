"""The study's decisions as a TrialScheduler of Ray Tune."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ray
from ray.air.execution._internal.actor_manager import RayActorManager
from ray.tune import Callback
from ray.tune.experiment import Trial
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.stopper import Stopper

from cluster.study_loop import LOST, StudyLoop
from tuner.study.trial import Decision, State
from tuner.training.outcome import Outcome


class RayScheduler(FIFOScheduler):  # type: ignore[misc]
    """Passes reports to the study and its answers to Tune."""

    def __init__(self, loop: StudyLoop, changed: Callable[[], None], machines: Machines) -> None:
        super().__init__()
        self._loop = loop
        self._changed = changed
        self._machines = machines

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Tune pickles what it is given, and that is never read back."""
        return {}

    def on_trial_result(self, tune_controller: Any, trial: Trial, result: dict[str, Any]) -> str:
        """One message of a trial: a report, or its end."""
        number, attempt = _run_of(trial)
        decision = TrialScheduler.CONTINUE
        if "report" in result:
            self._machines.place(number, result["node"])
            leaving = self._machines.is_leaving(number)
            answer = self._loop.report(number, result["report"], attempt, leaving=leaving)
            if leaving and answer is not Decision.CONTINUE:
                ray.kill(trial.temporary_state.ray_actor)  # else it is warm, and is given the next trial
            else:
                decision = TrialScheduler.CONTINUE if answer is Decision.CONTINUE else TrialScheduler.STOP
        elif "outcome" in result:
            self._loop.end(number, result["outcome"], attempt)
        self._changed()
        return decision  # type: ignore[no-any-return]

    def on_trial_error(self, tune_controller: Any, trial: Trial) -> None:
        """The worker itself died: nothing in it could send a word."""
        number, attempt = _run_of(trial)
        error = Path(trial.error_file).read_text().strip() if trial.error_file else LOST
        if "running low on memory" in error:  # of any other death Ray says that it may have been the memory
            outcome = Outcome(state=State.INFEASIBLE, reason="its worker ran out of memory", out_of_memory=True)
            self._loop.end(number, outcome, attempt)
        else:
            self._loop.lose(number, attempt, counts=not (_was_preempted(trial) or self._machines.is_leaving(number)))
        self._changed()


def _was_preempted(trial: Trial) -> bool:
    """Whether Ray knew that the machine would go. Tune has just written the error that it was told of."""
    path = trial.pickled_error_file
    return bool(path) and bool(getattr(ray.cloudpickle.loads(Path(path).read_bytes()), "preempted", False))


def _run_of(trial: Trial) -> tuple[int, int]:
    return trial.config["number"], trial.config["attempt"]


class Machines:
    """Which trials run on machines that are taken away: Ray knows of it beforehand, by its autoscaler or ``ray drain-node``."""

    _INTERVAL_S = 2.0

    def __init__(self, *, shared: bool) -> None:
        self._shared = shared
        """Whether there can be others than this one at all."""
        self._leaving: set[str] = set()
        """Ray's ids of nodes. They stay here when the nodes are gone."""
        self._nodes: dict[int, str] = {}
        self._asked = time.monotonic()

    def place(self, number: int, node: str) -> None:
        """A trial was heard of from this node."""
        self._nodes[number] = node

    def forget(self, number: int) -> None:
        """A trial has another worker, which was not heard of yet."""
        self._nodes.pop(number, None)

    def ask(self) -> None:
        """Asks Ray, every two seconds at most."""
        now = time.monotonic()
        if self._shared and now - self._asked >= self._INTERVAL_S:
            self._asked = now
            self._leaving.update(ray._private.state.state.get_draining_nodes())

    def is_leaving(self, number: int) -> bool:
        """Whether a trial was last heard of from such a machine."""
        return self._nodes.get(number) in self._leaving


def tell_of_memory() -> None:
    """Makes Tune take a worker that Ray's memory monitor has killed for a lost worker; it ends with RuntimeError otherwise."""
    if getattr(RayActorManager._actor_task_failed, "is_ours", False):
        return
    before = RayActorManager._actor_task_failed

    def failed(self: Any, tracked_actor_task: Any, exception: Exception) -> None:
        if isinstance(exception, ray.exceptions.OutOfMemoryError):
            exception = ray.exceptions.RayActorError(error_msg=str(exception))
        before(self, tracked_actor_task, exception)

    failed.is_ours = True  # type: ignore[attr-defined]
    RayActorManager._actor_task_failed = failed


_TICK_S = 0.5


class Watch(Callback):  # type: ignore[misc]
    """Tells the study which trial has a worker and which has lost it, and keeps weights out of what Tune remembers."""

    def __init__(self, loop: StudyLoop, changed: Callable[[], None], machines: Machines) -> None:
        self._loop = loop
        self._changed = changed
        self._machines = machines
        self._ticked = time.monotonic()

    def __getstate__(self) -> dict[str, Any]:
        """Nothing, as above."""
        return {}

    def on_trial_start(self, iteration: int, trials: list[Trial], trial: Trial, **info: Any) -> None:
        """A worker has taken the trial."""
        trial.config["last"] = None  # it has it; Tune would keep it for as long as the study lasts
        self._machines.forget(trial.config["number"])
        self._loop.begin(*_run_of(trial))
        self._changed()

    def on_step_end(self, iteration: int, trials: list[Trial], **info: Any) -> None:
        """Looks for what Tune tells nobody: a warm actor that cannot be given its next trial, and one that hangs."""
        now, lost = time.monotonic(), [t for t in trials if t.status == Trial.ERROR and self._loop.is_out(*_run_of(t))]
        for trial in lost:  # its slot would count as taken for ever
            self._loop.lose(*_run_of(trial))
        if lost or now - self._ticked >= _TICK_S:  # clocks go on between two reports
            self._ticked = now
            self._machines.ask()
            overdue = self._loop.overdue()
            for trial in [t for t in trials if overdue and t.status == Trial.RUNNING and _run_of(t)[0] in overdue]:
                actor = trial.temporary_state.ray_actor
                self._loop.lose(*_run_of(trial), f"it reported nothing for {self._loop.study.limits.trial_timeout_s:g} s")
                if actor is not None:
                    ray.kill(actor)
            self._changed()

    def on_trial_result(self, iteration: int, trials: list[Trial], trial: Trial, result: dict[str, Any], **info: Any) -> None:
        """The study has stored the message; Tune needs to keep nothing of it."""
        result.pop("report", None)
        result.pop("outcome", None)


class Stillness(Stopper):  # type: ignore[misc]
    """Ends Tune where the study should end before all is done: what waits for a worker would else get one."""

    def __init__(self, loop: StudyLoop) -> None:
        self._loop = loop

    def __getstate__(self) -> dict[str, Any]:
        """Nothing, as above."""
        return {}

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """No single trial: the scheduler stops those."""
        return False

    def stop_all(self) -> bool:
        """Whether nothing runs that should go on."""
        return self._loop.is_still
