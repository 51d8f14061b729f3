"""Measures what has no row yet, one study after the other, and writes ``docs/results.md``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.results import page
from benchmarks.results.measure import check_commit, measure
from benchmarks.results.tasks import TASKS, models
from tuner.study.environment import commit


def main() -> int:
    """Exit code 1 if something is still to be measured, 2 before anything is if it cannot be."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.results", description=__doc__)
    parser.add_argument("--model", choices=models(), metavar="NAME", help="Only this one.")
    parser.add_argument("--task", choices=list(TASKS), help="Only this one.")
    parser.add_argument("--data-dir", type=Path, help="The folder of ETTh1.csv and sample.tsf. Default: $TUNER_DATA.")
    chosen = parser.parse_args()
    data_dir = chosen.data_dir and chosen.data_dir.absolute()
    asked = [(model, task) for task in TASKS.values() for model in models()]
    asked = [(model, task) for model, task in asked if chosen.model in (None, model) and chosen.task in (None, task.name)]
    missing = [(model, task) for model, task in asked if not page.path_of(model, task).exists()]
    try:
        for task in {task for _, task in missing}:
            task.find(data_dir)
        if missing:
            check_commit(commit(), "this checkout", "commit what you changed first")
    except ValueError as error:
        parser.error(str(error))
    unfinished = []
    for model, task in missing:
        print(f"== {model} on {task.name}", flush=True)
        try:
            row = measure(model, task, data_dir)
        except (LookupError, ValueError) as error:
            print(error, file=sys.stderr)
            row = None
        if row is None:
            unfinished.append(f"{model} on {task.name}")
        else:
            page.write(row)
    if unfinished:
        print(f"not measured: {', '.join(unfinished)}; the same command goes on with them", file=sys.stderr)
    return 1 if unfinished else 0


if __name__ == "__main__":
    sys.exit(main())
