"""What runs in a warm actor: one trial after the other, each by ``run_trial``, with Ray Tune as the messenger."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ray import tune

from datasets.windows.prepared import PreparedData
from search_spaces.base import Config
from tuner.study.trial import Decision, Report


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What all trials of a study share."""

    model: str
    seed: int
    epochs: int
    metric: str
    accelerator: str
    n_threads: int


def run_in_actor(proposal: dict[str, Any], *, data: PreparedData, settings: Settings) -> None:
    """Runs the trial of a proposal. Its end is a message like its reports, so that an error never costs a warm actor."""
    from tuner.training.trial import TrialSpec, run_trial

    config: Config = proposal["config"]
    spec = TrialSpec(
        model=settings.model,
        config=config,
        seed=settings.seed,
        epochs=settings.epochs,
        metric=settings.metric,
        accelerator=settings.accelerator,
        n_threads=settings.n_threads,
    )
    stopped = False

    def send(report: Report) -> Decision:
        # Tune says stop by SystemExit out of its report. It ends here, so that Lightning never sees it.
        nonlocal stopped
        try:
            tune.report({"report": report})
        except SystemExit:
            stopped = True
            return Decision.STOP
        return Decision.CONTINUE

    outcome = run_trial(spec, data, send)
    if stopped:  # Tune listens no more: a report, even the one that it makes for a function that returns, would block
        raise SystemExit
    tune.report({"outcome": outcome})
