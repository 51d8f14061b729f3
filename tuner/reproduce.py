"""Run one trial of a study again in a fresh process, and compare every report and the hash of the weights."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from tuner.console.errors import fail, user_mistakes
from tuner.console.process import restart_with

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(epilog="Example: python -m tuner.reproduce runs/my-study --trial 7")
def reproduce(
    folder: Annotated[Path, typer.Argument(help="A run folder: runs/<study>.")],
    trial: Annotated[int, typer.Option("--trial", help="Its number.")],
    data_dir: Annotated[Path | None, typer.Option("--data-dir", help="Where named data sets are looked for first.")] = None,
) -> None:
    """Run one trial of a study again in a fresh process, and compare every report and the hash of the weights."""
    from search_spaces.base import Space
    from tuner.results.store import RunStore
    from tuner.study.resuming import recorded_data
    from tuner.study.study import Problem

    with user_mistakes():
        store = RunStore.open(folder)
        rows = {row.number: row for row in store.rows()}
        start = next((event for event in reversed(store.events()) if event["kind"] == "start"), None)
        if start is None or not rows:
            raise ValueError(f"a study needs a trial to reproduce, {folder} ended before its first")
        if trial not in rows:
            raise LookupError(f"--trial must be one of this study, got {trial}; {folder} has 0 to {len(rows) - 1}")
        expected = store.reports(trial)
        if not expected:
            raise ValueError(f"trial {trial} of {folder} made no report, so there is nothing to compare; choose another")
        restart_with(start["environment"], "tuner.reproduce")
        record = store.study()
        problem = Problem.from_json({**record["problem"], **({"data_dir": str(data_dir)} if data_dir else {})})
        data = recorded_data(record, store.folder, problem, Space.from_json(record["space"])).for_trials()

    from tuner.study.trial import Decision, Report
    from tuner.training.check import check_accelerator
    from tuner.training.spec import TrialSpec
    from tuner.training.trial import run_trial

    with user_mistakes():
        check_accelerator(start["spec"]["accelerator"])
    differences: list[str] = []
    terminal = sys.stdout  # while a trial runs, what it prints goes to its log

    n_seen = 0

    def compare(report: Report) -> Decision:
        nonlocal n_seen
        before = expected[n_seen]
        n_seen += 1
        found = [
            f"{name} was {then.get(name)!r}, is {now.get(name)!r}"
            for then, now in ((before.metrics, report.metrics), (before.stages, report.stages))
            for name in sorted(then.keys() | now.keys())
            if then.get(name) != now.get(name)
        ]
        found += [
            f"{name} was {getattr(before, name)}, is {getattr(report, name)}"
            for name in ("stage", "turn", "epoch", "step")
            if getattr(before, name) != getattr(report, name)
        ]
        if before.weights_sha256 != report.weights_sha256:
            found.append(f"weights were {before.weights_sha256[:12]}, are {report.weights_sha256[:12]}")
        print(
            f"epoch {report.epoch}: " + ("; ".join(found) or f"equal, weights {report.weights_sha256[:12]}"),
            file=terminal,
            flush=True,
        )
        differences.extend(found)
        return Decision.STOP if n_seen == len(expected) else Decision.CONTINUE

    spec = TrialSpec(config=rows[trial].config, n_parts=rows[trial].n_parts, **start["spec"])
    outcome = run_trial(spec, data, compare)
    if outcome.traceback:
        fail(f"trial {trial} failed: {outcome.reason}\n{outcome.traceback}", code=1)
    if n_seen != len(expected):
        differences.append("an early end")
        print(f"it ended after {n_seen} of {len(expected)} reports, {outcome.state}: {outcome.reason}")
    if differences:
        print(f"Trial {trial} does not repeat; the versions then and now: {_versions(store.study()['versions'])}")
        raise SystemExit(1)
    print(f"Trial {trial} repeats: {len(expected)} reports and the weights after each are equal.")


def _versions(then: dict[str, str]) -> str:
    from tuner.study.environment import versions

    now = versions()
    changed = [f"{name} {then.get(name)} -> {now[name]}" for name in now if then.get(name) != now[name]]
    return ", ".join(changed) or "the same"


if __name__ == "__main__":
    app()
