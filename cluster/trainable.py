"""What runs in a warm actor: one trial after the other, each by ``run_trial``, with Ray Tune as the messenger."""

from __future__ import annotations

import gc
from dataclasses import replace
from typing import Any

import ray
from ray import tune

from datasets.windows.prepared import PreparedData
from tuner.study.trial import Decision, Report
from tuner.training.spec import TrialSpec
from tuner.training.trial import run_trial


def run_in_actor(proposal: dict[str, Any], *, data: PreparedData, spec: TrialSpec) -> None:
    """Runs the trial of a proposal. Its end is a message like its reports, so that an error never costs a warm actor.

    Args:
        proposal: A ``study_loop.Run``, and last: a reference to what the trial goes on from, or None.
        data: What trials see.
        spec: What all trials of the study share; its config is empty.
    """
    stopped, node = False, ray.get_runtime_context().get_node_id()

    def send(report: Report) -> Decision:
        # Tune says stop by SystemExit out of its report. It ends here, so that Lightning never sees it.
        nonlocal stopped
        try:
            tune.report({"report": report, "node": node})
        except SystemExit:
            stopped = True
            return Decision.STOP
        return Decision.CONTINUE

    if not gc.get_freeze_count():  # so that collecting what a trial leaves does not look through torch and Ray each time
        gc.freeze()
    last = None if proposal["last"] is None else ray.get(proposal["last"])
    outcome = run_trial(replace(spec, config=proposal["config"], n_parts=proposal["n_parts"]), data, send, last)
    if stopped:  # Tune listens no more: a report, even the one that it makes for a function that returns, would block
        raise SystemExit
    tune.report({"outcome": outcome})
