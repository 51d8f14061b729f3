"""The study's proposals as a Searcher of Ray Tune."""

from __future__ import annotations

from typing import Any

from ray.tune.search import Searcher

from cluster.study_loop import StudyLoop


class RaySearch(Searcher):  # type: ignore[misc]
    """Hands out a trial when a slot is free, not before: each proposal knows all that has ended."""

    def __init__(self, loop: StudyLoop, n_slots: int) -> None:
        super().__init__()
        self._loop = loop
        self._n_slots = n_slots

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Tune pickles what it is given, and that is never read back."""
        return {}

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """The next trial as a Tune config; None while all slots are taken."""
        if self._loop.n_open >= self._n_slots:
            return None
        proposal = self._loop.next_trial()
        if proposal is None:
            return Searcher.FINISHED  # type: ignore[no-any-return]
        number, config = proposal
        return {"number": number, "config": config}

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """The scheduler's adapter tells the study; Ray's searcher has nothing to add."""

    def save(self, checkpoint_path: str) -> None:
        """Nothing: the run folder is the truth."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing: Ray's own state is never read back."""
