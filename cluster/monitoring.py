"""A study's metrics for Prometheus and Ray's dashboard, served by Ray's agent at the node's metrics port.

::

    ray_tuner_trials{study, state}       trials by state
    ray_tuner_best_value{study, metric}  the best value of the study's metric so far
    ray_tuner_busy_slots{study}          slots that run a trial
    ray_tuner_slots{study}               slots there are
    ray_tuner_epochs_total{study}        epochs reported, over all trials
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence

from ray.util import metrics

from tuner.results.schema import Row
from tuner.results.store import best_row
from tuner.study.trial import State

MIN_INTERVAL_S = 1.0
"""Between two updates; Ray's agent collects every ten seconds."""


class Metrics:
    """Gauges and a counter that follow one study. Ray must be up.

    Args:
        study: Its name, a tag of every metric.
        metric: What ranks its trials, a tag of the best value.
        n_slots: Trials that run side by side.
        clock: Seconds that never go back.
    """

    def __init__(self, study: str, metric: str, n_slots: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._trials = metrics.Gauge("tuner_trials", "Trials by state", tag_keys=("study", "state"))
        self._best = metrics.Gauge("tuner_best_value", "Best value of the metric so far", ("study", "metric"))
        self._busy = metrics.Gauge("tuner_busy_slots", "Slots that run a trial", tag_keys=("study",))
        self._slots = metrics.Gauge("tuner_slots", "Slots there are", tag_keys=("study",))
        self._epochs = metrics.Counter("tuner_epochs", "Epochs reported", tag_keys=("study",))
        for one in (self._trials, self._best, self._busy, self._slots, self._epochs):
            one.set_default_tags({"study": study, **({"metric": metric} if one is self._best else {})})
        self._slots.set(n_slots)
        self._clock = clock
        self._updated = float("-inf")
        self._n_epochs = 0

    def changed(self, rows: Sequence[Row], *, last: bool = False) -> None:
        """A trial began, reported or ended. The last change is never skipped."""
        if not last and self._clock() - self._updated < MIN_INTERVAL_S:
            return
        self._updated = self._clock()
        states = Counter(row.state for row in rows)
        for state in State:
            self._trials.set(states[state], tags={"state": state})
        self._busy.set(states[State.RUNNING])
        best = best_row(rows)
        if best is not None and best.value is not None:
            self._best.set(best.value)
        n_epochs = sum(row.epochs for row in rows)
        if n_epochs > self._n_epochs:  # a counter refuses 0
            self._epochs.inc(n_epochs - self._n_epochs)
            self._n_epochs = n_epochs
