"""``docs/results.md`` from the rows, and from nothing else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.results.measure import ROOT
from benchmarks.results.published import MARKS, PUBLISHED
from benchmarks.results.tasks import EPOCHS, N_TRIALS, TASKS, TIME, Task, models

ROWS, PAGE = ROOT / "docs" / "results", ROOT / "docs" / "results.md"

HEAD = """# Results

Tuned models, their baselines and the floors on test windows, which a study opens once and never thins. Each row is a study of
`python -m tuner.run` with the space of the model's name: {trials} trials of at most {epochs} epochs, seed 0, no new trial or
epoch after {time}; one budget for all. Small widths and so few epochs are for two cores, and no attempt at the papers'
scores. With two trials at a time, or a time limit that was reached, a second measurement gives other numbers.

```
make results
make results MODEL=dlinear DATA=folder
```

A study leaves `docs/results/<task>/<model>.json`. What has such a row is not run again, and what was cut off goes on. `DATA`
is the folder of `ETTh1.csv` and `sample.tsf`; without it `$TUNER_DATA` is.

- Baseline: trial 0 of the space. Tuned: the trial that is best on validation; the verdict is on it, by both metrics on test.
- Published: only where the baseline was trained by the whole published recipe, as far as we know it; else it is
  **reduced**, and says nothing about them. Marks: {marks}.
  Windows may differ: some of the sources' code left out the last ones of the test.
"""


def read_rows() -> list[dict[str, Any]]:
    """All rows that there are."""
    return [json.loads(path.read_text()) for path in sorted(ROWS.glob("*/*.json"))]


def write(row: dict[str, Any]) -> Path:
    """Stores a row, and the page with it."""
    path = path_of(row["model"], TASKS[row["task"]])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(row, indent=1) + "\n")
    write_page()
    return path


def write_page() -> None:
    """Writes the page anew."""
    PAGE.write_text(render(read_rows()))


def path_of(model: str, task: Task) -> Path:
    """Where the row of a model lies."""
    return ROWS / task.name / f"{model}.json"


def render(rows: Sequence[dict[str, Any]]) -> str:
    """The whole page.

    Raises:
        ValueError: rows of one task were not scored on the same windows, or differ in their floors.
    """
    marks = "; ".join(f"[{mark}] {meaning}" for mark, meaning in MARKS.items())
    parts = [HEAD.format(trials=N_TRIALS, epochs=EPOCHS, time=TIME.replace("m", " minutes"), marks=marks)]
    for task in TASKS.values():
        parts.append(_section(task, [row for row in rows if row["task"] == task.name]))
    return "\n".join(parts)


def _section(task: Task, rows: Sequence[dict[str, Any]]) -> str:
    missing = sorted({*models()} - {row["model"] for row in rows})
    not_run = [f"Not run: {', '.join(missing)}.", ""] if missing else []
    if not rows:
        return "\n".join([f"## {task.title}", "", *not_run])
    floors = _floors(task, rows)
    metrics = " / ".join(task.metrics)
    n_windows = rows[0]["best"]["n_windows"]
    slots = sorted({row["n_slots"] for row in rows})
    lines = [
        f"## {task.title}",
        "",
        f"{n_windows['test']:,} test windows, {n_windows['validation']:,} of validation, none dropped. {metrics} on test, "
        f"lower is better. Trials at a time: {', '.join(map(str, slots))}.",
        "",
        *_table(
            ["model", "lookback", "baseline", "tuned lookback", "tuned", "published", "verdict", "study"],
            [_line(row, task) for row in rows],
        ),
        *_table(
            ["floor", "lookback", "score", "tuned models under it in both"],
            [
                [name, str(floor["lookback"]), _score(floor, task), f"{_n_under(floor, rows, task)} of {len(rows)}"]
                for name, floor in floors.items()
            ],
        ),
        *_reduced(rows, task),
        *not_run,
    ]
    return "\n".join(lines)


def _floors(task: Task, rows: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Those of the first row, which all others must share."""
    said = [
        {name: [floor["lookback"], floor["n_windows"], _score(floor, task)] for name, floor in row["floors"].items()}
        for row in rows
    ]
    for row, floors in zip(rows, said, strict=True):
        if floors != said[0] or row["best"]["n_windows"] != rows[0]["best"]["n_windows"]:
            raise ValueError(
                f"rows of a task must share windows and floors, {row['model']} of {task.name} does not; measure it again"
            )
    return dict(sorted(rows[0]["floors"].items(), key=lambda item: float(item[1]["test"][task.metrics[0]])))


def _line(row: dict[str, Any], task: Task) -> list[str]:
    baseline, best = row["baseline"], row["best"]
    n_trials = sum(row["n_trials"].values())
    return [
        row["model"],
        str(baseline["lookback"]) if baseline else "",
        _score(baseline, task) if baseline else "none",
        str(best["lookback"]),
        _score(best, task),
        _published(row),
        verdict(row, task),
        f"{n_trials} trials, {max(1, round(row['seconds'] / 60))} min",
    ]


def verdict(row: dict[str, Any], task: Task) -> str:
    """Which floors are better than the tuned model, by which metric."""
    tuned, lost = row["best"]["test"], []
    for name, floor in sorted(row["floors"].items(), key=lambda item: float(item[1]["test"][task.metrics[0]])):
        if by := [metric for metric in task.metrics if floor["test"][metric] <= tuned[metric]]:
            lost.append(name if len(by) == len(task.metrics) else f"{name} ({by[0]})")
    return f"**loses to {', '.join(lost)}**" if lost else "beats every floor"


def _published(row: dict[str, Any]) -> str:
    known, baseline = PUBLISHED.get((row["model"], row["task"])), row["baseline"]
    if known is None or baseline is None:
        return "none known"
    if known.departures(baseline["config"], baseline["epochs"]):
        return "reduced"
    return f"{known.mse:.3f} / {known.mae:.3f} [{known.mark}] {known.source}"


def _reduced(rows: Sequence[dict[str, Any]], task: Task) -> list[str]:
    lines = []
    for row in rows:
        known, baseline = PUBLISHED.get((row["model"], task.name)), row["baseline"]
        if known and baseline and (apart := known.departures(baseline["config"], baseline["epochs"])):
            keys = ", ".join(f"`{key}` {_word(had)} for {_word(wanted)}" for key, (had, wanted) in apart.items())
            lines.append(f"- {row['model']}: {keys} ([{known.mark}] {known.source})")
    return ["Where a reduced baseline departs from the published recipe:", "", *lines, ""] if lines else []


def _word(value: object) -> str:
    return "all" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _score(scored: dict[str, Any], task: Task) -> str:
    return " / ".join(f"{scored['test'][metric]:.3f}" for metric in task.metrics)


def _n_under(floor: dict[str, Any], rows: Sequence[dict[str, Any]], task: Task) -> int:
    return sum(all(row["best"]["test"][metric] < floor["test"][metric] for metric in task.metrics) for row in rows)


def _table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *lines)] + [""]
