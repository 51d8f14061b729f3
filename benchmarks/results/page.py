"""``docs/results.md`` from the rows, and from nothing else."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

from benchmarks.results.measure import ROOT
from benchmarks.results.published import MARKS, PUBLISHED
from benchmarks.results.tasks import EPOCHS, MINUTES, N_PATHS, N_TRIALS, TASKS, Task, models
from search_spaces.base import Value
from tuner.results.files import write_atomic

Record: TypeAlias = dict[str, Any]
ROWS, PAGE = ROOT / "docs" / "results", ROOT / "docs" / "results.md"

HEAD = f"""# Results

Tuned models, their baselines and the floors on test windows, which a study opens once and never thins. Each row is a study of
`python -m tuner.run` with the space of the model's name: {N_TRIALS} trials of at most {EPOCHS} epochs, seed 0, no
new trial or epoch after {MINUTES} minutes; one budget for all. Small widths and so few epochs are for two cores, and no attempt
at the papers' scores. With two trials at a time, or a time limit that was reached, a second measurement gives other numbers.

```
make results
make results MODEL=dlinear DATA=folder
```

A study leaves `docs/results/<task>/<model>.json`. What has such a row is not run again, and what was cut off goes on; to
measure anew, remove the row and `runs/results/<task>-<model>`. `DATA` is the folder of `ETTh1.csv` and `sample.tsf`; without
it `$TUNER_DATA` is. hf_time_series_transformer and pf_tft need the extra `originals`.

- Baseline: trial 0 of the space. Tuned: the trial that is best on validation; the verdict is on it, by both metrics on test.
  It counts floors that later studies alone scored, too. Where tuned is worse than baseline, the search found what fits
  the validation windows, and not the test. On sample.tsf these are one window a series, all of them of the same eight weeks.
- What draws its forecasts draws {N_PATHS} paths of each. Where it says fewer, {N_PATHS} of every window did not fit into ten
  minutes; the mean of fewer paths lies further from the one that they are drawn around.
- Published: only where the baseline was trained by the whole published recipe, as far as we know it; else it is
  **reduced**, and says nothing about them; a score without a printed recipe is not shown. Marks:
  {"; ".join(f"[{mark}] {meaning}" for mark, meaning in MARKS.items())}.
  Windows may differ: some of the sources' code left out the last ones of the test.
"""


def path_of(model: str, task: Task) -> Path:
    """Where the row of a model lies."""
    return ROWS / task.name / f"{model}.json"


def write(row: Record) -> None:
    """Stores a row, and the page with it."""
    path = path_of(row["model"], TASKS[row["task"]])
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, (json.dumps(row, indent=1) + "\n").encode())
    write_atomic(PAGE, render(read_rows()).encode())


def read_rows() -> list[Record]:
    """All rows that there are."""
    return [json.loads(path.read_text()) for path in sorted(ROWS.glob("*/*.json"))]


def render(rows: Sequence[Record]) -> str:
    """The whole page.

    Raises:
        ValueError: rows of one task were not scored on the same windows, or give one floor different scores.
    """
    return "\n".join([HEAD, *(_section(task, [row for row in rows if row["task"] == task.name]) for task in TASKS.values())])


def _section(task: Task, rows: Sequence[Record]) -> str:
    missing = sorted({*models()} - {row["model"] for row in rows})
    found = _measured(task, rows) if rows else []
    return "\n".join([f"## {task.title}", "", *found, *([f"Not run: {', '.join(missing)}.", ""] if missing else [])])


def _measured(task: Task, rows: Sequence[Record]) -> list[str]:
    n_windows, floors = rows[0]["n_windows"], _floors(rows, task)
    for row in rows:
        others = [name for name, floor in row["floors"].items() if _scores("", floor, task) != _scores("", floors[name], task)]
        if row["n_windows"] != n_windows or others:
            first = next(other for other in rows if not others or others[0] in other["floors"])
            raise ValueError(
                f"rows of one task share {[*others, 'windows'][0]}, {row['model']} and {first['model']} of {task.name} do not; "
                f"remove the older one with the folder of its study in runs/results, and measure it again"
            )
    slots = ", ".join(sorted({str(row["n_slots"]) for row in rows}))
    return [
        f"{n_windows['test']:,} test windows, {n_windows['validation']:,} of validation, none dropped. "
        f"{' / '.join(task.metrics)} on test, lower is better. Trials at a time: {slots}.",
        "",
        *_table(
            "model | lookback | baseline | lookback | tuned | published | verdict | study",
            [_line(row, floors, task) for row in rows],
        ),
        *_table(
            "floor | lookback | score | tuned models under it in both",
            [[*_scores(name, floor, task), _n_under(floor, rows, task)] for name, floor in floors.items()],
        ),
        _against_baselines(rows, task),
        "",
        *_reduced(rows),
        *_noted(rows),
    ]


def _floors(rows: Sequence[Record], task: Task) -> Record:
    """Floors of all rows, the best first; a study scores those that there are in its time."""
    floors = {name: floor for row in reversed(rows) for name, floor in row["floors"].items()}
    return dict(sorted(floors.items(), key=lambda item: float(item[1]["test"][task.metrics[0]])))


def _scores(name: str, scored: Record | None, task: Task) -> list[str]:
    if scored is None:
        return [name, "", "infeasible"]
    return [name, str(scored["lookback"]), " / ".join(f"{scored['test'][metric]:.3f}" for metric in task.metrics)]


def _line(row: Record, floors: Record, task: Task) -> list[str]:
    n_paths = task.n_paths(row["model"])
    few = f", {n_paths} paths" if n_paths < N_PATHS else ""
    study = f"{sum(row['n_trials'].values())} trials{_cut_off(row)}{few}, {row['seconds'] / 60:.0f} min"
    tuned = _scores("", row["best"], task)[1:]
    return [*_scores(row["model"], row["baseline"], task), *tuned, _published(row), verdict(row, floors, task), study]


def _cut_off(row: Record) -> str:
    """Nothing, if a trial of the study had all of its epochs."""
    if "finished" in row["n_trials"]:
        return ""
    baseline = row["baseline"]["epochs"] if row["baseline"] else 0
    return f", none to its end: tuned for {row['best']['epochs']} of {EPOCHS} epochs, baseline for {baseline}"


def verdict(row: Record, floors: Record, task: Task) -> str:
    """Which floors are as good as the tuned model or better, by which metric."""
    lost = []
    for name, floor in floors.items():
        by = [metric for metric in task.metrics if floor["test"][metric] <= row["best"]["test"][metric]]
        if by:
            lost.append(name if len(by) == len(task.metrics) else f"{name} ({by[0]})")
    return f"**loses to {', '.join(lost)}**" if lost else "beats every floor"


def _is_under(one: Record, other: Record, task: Task) -> bool:
    return all(one["test"][metric] < other["test"][metric] for metric in task.metrics)


def _n_under(floor: Record, rows: Sequence[Record], task: Task) -> str:
    return f"{sum(_is_under(row['best'], floor, task) for row in rows)} of {len(rows)}"


def _against_baselines(rows: Sequence[Record], task: Task) -> str:
    unended = [row["model"] for row in rows if _cut_off(row)]
    pairs = [(row["best"], row["baseline"]) for row in rows if row["baseline"] and not _cut_off(row)]
    better = sum(_is_under(best, baseline, task) for best, baseline in pairs)
    worse = sum(_is_under(baseline, best, task) for best, baseline in pairs)
    counted = f"Of {len(pairs)} tuned models {better} are better than their baseline in both metrics, {worse} worse in both."
    return counted + (f" Not among them, as no trial came to its end: {', '.join(unended)}." if unended else "")


def _departures(row: Record) -> dict[str, tuple[Value, Value]]:
    return PUBLISHED[row["model"], row["task"]].departures(row["baseline"]["config"], row["baseline"]["epochs"])


def _published(row: Record) -> str:
    known = PUBLISHED.get((row["model"], row["task"]))
    if known is None or row["baseline"] is None:
        return "none known"
    if known.recipe is None:
        return "recipe not printed"
    return "reduced" if _departures(row) else f"{known.mse:.3f} / {known.mae:.3f} [{known.mark}] {known.source}"


def _reduced(rows: Sequence[Record]) -> list[str]:
    lines = [
        f"- {row['model']}: "
        + ", ".join(f"`{key}` {_word(had)} for {_word(whole)}" for key, (had, whole) in _departures(row).items())
        for row in rows
        if _published(row) == "reduced"
    ]
    return ["Where a reduced baseline departs from the published recipe:", "", *lines, ""] if lines else []


def _noted(rows: Sequence[Record]) -> list[str]:
    whole = [row for row in rows if (row["model"], row["task"]) in PUBLISHED and row["baseline"] and not _departures(row)]
    notes = {row["model"]: PUBLISHED[row["model"], row["task"]].note for row in whole}
    lines = [f"- {model}: {note}." for model, note in notes.items() if note]
    return ["Why a full recipe came to another score:", "", *lines, ""] if lines else []


def _word(value: Value) -> str:
    return "all" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _table(head: str, lines: Sequence[Sequence[str]]) -> list[str]:
    rule = " | ".join(["---"] * len(head.split("|")))
    return [f"| {line} |" for line in (head, rule, *map(" | ".join, lines))] + [""]
