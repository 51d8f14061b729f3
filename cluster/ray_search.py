"""The study's proposals as a Searcher of Ray Tune."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import ray
from ray.tune.search import Searcher

from cluster.study_loop import StudyLoop


class RaySearch(Searcher):  # type: ignore[misc]
    """Hands out a trial when a slot is free, not before: each proposal knows all that has ended.

    A trial that goes on is a new one in the eyes of Tune, with what it needs in Ray's object store.
    """

    def __init__(self, loop: StudyLoop, n_slots: int) -> None:
        super().__init__()
        self._loop = loop
        self._n_slots = n_slots

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Tune pickles what it is given, and that is never read back."""
        return {}

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """The next trial as a Tune config; None while all slots are taken."""
        if self._loop.is_done and not self._loop.n_out:
            return Searcher.FINISHED  # type: ignore[no-any-return]
        run = self._loop.next_trial() if self._loop.n_out < self._n_slots else None
        if run is None:  # a trial that is out may lose its worker, and go on as a new one
            return None
        last = self._loop.store.last(run.number)
        return {**asdict(run), "last": None if last is None else ray.put(last)}

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """The scheduler's adapter tells the study; Ray's searcher has nothing to add."""

    def save(self, checkpoint_path: str) -> None:
        """Nothing: the run folder is the truth."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing: Ray's own state is never read back."""
