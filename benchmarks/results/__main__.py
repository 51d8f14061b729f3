"""Measures what has no row yet, one study after the other, and writes ``docs/results.md``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks.results.measure import measure
from benchmarks.results.page import path_of, write, write_page
from benchmarks.results.tasks import TASKS, models

parser = argparse.ArgumentParser(prog="python -m benchmarks.results", description=__doc__)
parser.add_argument("--model", action="append", choices=models(), metavar="NAME", help="Only this one; repeatable.")
parser.add_argument("--task", action="append", choices=list(TASKS), help="Only this one; repeatable.")
parser.add_argument("--data-dir", type=Path, help="The folder with ETTh1.csv and sample.tsf. Default: $TUNER_DATA.")


def main() -> int:
    """Exit code 1 if something is still to be measured."""
    chosen = parser.parse_args()
    open_ones = []
    for task in (TASKS[name] for name in chosen.task or TASKS):
        for model in chosen.model or models():
            if path_of(model, task).exists():
                continue
            print(f"== {model} on {task.name}", flush=True)
            try:
                row = measure(model, task, chosen.data_dir and chosen.data_dir.absolute())
            except (LookupError, ValueError) as error:
                print(error, file=sys.stderr)
                row = None
            if row is None:
                open_ones.append(f"{model} on {task.name}")
            else:
                write(row)
    write_page()
    if open_ones:
        print(f"not measured: {', '.join(open_ones)}; the same command goes on with them", file=sys.stderr)
    return 1 if open_ones else 0


if __name__ == "__main__":
    sys.exit(main())
