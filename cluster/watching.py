"""Shows a running study: the loop's state as snapshots for the live view."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType

from rich.console import Console

from cluster.connect import Cluster
from cluster.placement import Placement
from cluster.study_loop import StudyLoop
from tuner.results.live import Snapshot, make_view
from tuner.results.schema import Row, RungCount
from tuner.study.study import Study
from tuner.study.trial import State


class StudyWatch:
    """A live table on a terminal, plain lines elsewhere."""

    def __init__(self, console: Console, study: Study) -> None:
        self._console = console
        self._study = study
        self._n_slots = 0
        self._dashboard: str | None = None
        self._said_why = False

    def __enter__(self) -> StudyWatch:
        self._say("Starting Ray ..." if self._study.resources.address is None else "Joining the cluster ...")
        self._view = make_view(self._console, study=self._study.name)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self._shown():
            self._view.close()

    def started(self, cluster: Cluster, placement: Placement, loop: StudyLoop) -> None:
        """Ray is up; the loop knows what earlier drivers have stored."""
        self._n_slots, self._dashboard = placement.n_slots, cluster.dashboard_url
        if self._dashboard and cluster.asks_for_token:
            self._dashboard += " (it asks for a token: ray get-auth-token)"
        self._show(self._snapshot(loop.store.rows(), [], elapsed_s=loop.store.time_s(), eta_s=None))

    def changed(self, loop: StudyLoop) -> None:
        """A trial began, reported or ended."""
        if loop.ending and not self._said_why:
            self._said_why = True
            self._say(f"The study ends: {loop.ending}. Running trials finish their epoch, to go on later.")
        rows, elapsed = loop.store.rows(), loop.store.time_s()
        n_over = sum(row.state.over for row in rows)
        # Trials differ in length, so the mean over those that ended is the best guess; the first few mislead.
        mean_s = sum(row.duration_s or 0.0 for row in rows if row.state.over) / max(n_over, 1)
        left = sum(max(mean_s - (row.duration_s or 0.0), 0.0) for row in rows if row.state is State.RUNNING)
        left += mean_s * (self._study.budget.n_trials - n_over - sum(row.state is State.RUNNING for row in rows))
        rungs = [RungCount(rung.epoch, rung.n_reached, rung.n_stopped) for rung in loop.scheduler.rungs()]
        eta_s = left / max(self._n_slots, 1) if n_over >= max(2, self._n_slots) else None
        self._show(self._snapshot(rows, rungs, elapsed_s=elapsed, eta_s=eta_s))

    def _snapshot(self, rows: Sequence[Row], rungs: Sequence[RungCount], *, elapsed_s: float, eta_s: float | None) -> Snapshot:
        return Snapshot(
            rows=rows,
            rungs=rungs,
            n_trials=self._study.budget.n_trials,
            n_slots=self._n_slots,
            elapsed_s=elapsed_s,
            eta_s=eta_s,
            metric=self._study.problem.metric,
            dashboard_url=self._dashboard,
        )

    def evaluating(self) -> None:
        """The search is over, the test rows are opened."""
        with self._shown():
            self._view.close()
        self._say("The search is over. Opening the test rows for the best, the baseline and the floors ...")

    def _show(self, snapshot: Snapshot) -> None:
        with self._shown():
            self._view.update(snapshot)

    def _say(self, sentence: str) -> None:
        with self._shown():
            self._console.print(sentence)

    @contextmanager
    def _shown(self) -> Iterator[None]:
        """A terminal that was closed must not end the study in the middle of an epoch."""
        try:
            yield
        except OSError:
            self._console.file = open(os.devnull, "w")  # noqa: SIM115
