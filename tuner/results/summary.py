"""What a study found, in words and small tables, for a terminal and for summary.md. Standard library; rich to render."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from search_spaces.base import Domain, Space, same
from tuner.results import schema, text
from tuner.results.continual import ErrorMatrix, error_matrix
from tuner.results.files import write_atomic
from tuner.results.schema import Row, RungCount, Standing
from tuner.results.store import RunStore, best_row, ranked
from tuner.study.metrics import METRICS
from tuner.study.trial import Decision, State

if TYPE_CHECKING:
    from rich.console import Group, RenderableType

MAX_CHANNELS = 20
N_BLOCKS = 4
"""Parts of the horizon whose errors are shown."""


@dataclass(frozen=True)
class Grid:
    """A small table: its first column is text, the others may be numbers."""

    title: str
    head: tuple[str, ...]
    lines: Sequence[tuple[str, ...]]
    numbers: bool = True
    """Align all but the first column to the right."""


@dataclass(frozen=True)
class Verdict:
    """A sentence that decides what a person does next."""

    sentence: str
    good: bool


Block = str | Grid | Verdict


@dataclass(frozen=True, kw_only=True)
class Summary:
    """Everything that a summary says, before it is laid out."""

    folder: Path
    study: dict[str, Any]
    metric: str
    rows: list[Row]
    best: Row | None
    baseline: Row | None
    scores: list[Standing]
    rungs: list[RungCount]
    wall_s: float
    """From the making of the folder to the last event: the start of Ray and the final comparison are in it."""
    working_s: float
    """Training and scoring, over all trials."""
    evidence: dict[str, int]
    """Trials of other studies that the sampler began with, by study."""
    checkpoint_bytes: int
    matrices: dict[str, ErrorMatrix]
    """Of continual learning, of the best and the baseline."""

    @property
    def n_wanted(self) -> int:
        """Trials that the budget allows."""
        return int(self.study.get("budget", {}).get("n_trials", len(self.rows)))


def summarise(store: RunStore) -> Summary:
    """What a run found so far. It may still be running, and may have no score at all."""
    rows, events = store.rows(), store.events()
    reports = [event for event in events if event["kind"] == "report"]
    stops = Counter(e["epoch"] for e in events if e["kind"] == "decision" and e["decision"] == Decision.STOP)
    ladder: list[int] = next(
        (event["scheduler"].get("rungs", []) for event in reversed(events) if event["kind"] == "start"), []
    )
    sources = Counter(evidence["study"] for evidence in store.study().get("evidence", []))
    reached = Counter(event["epoch"] for event in reports)
    best, baseline = best_row(rows), next((row for row in rows if row.number == 0), None)
    stages = [stage["name"] for stage in store.study()["data"]["validation"]] if _is_continual(store.study()) else []
    shown = {"best": best, "baseline": baseline} if stages else {}
    matrices = {who: error_matrix(store.metric, stages, row, reports) for who, row in shown.items() if row is not None}
    return Summary(
        folder=store.folder,
        study=store.study(),
        metric=store.metric,
        rows=rows,
        best=best,
        baseline=baseline,
        scores=store.scores(),
        rungs=[RungCount(epoch, reached[epoch], stops[epoch]) for epoch in ladder if reached[epoch]],
        wall_s=events[-1]["time_s"] if events else 0.0,
        working_s=sum(sum(report["timing"].values()) for report in reports),
        evidence=dict(sources),
        checkpoint_bytes=sum(store.checkpoint_bytes(row.number) for row in rows),
        matrices={who: matrix for who, matrix in matrices.items() if matrix is not None},
    )


def _is_continual(study: Mapping[str, Any]) -> bool:
    return study["problem"].get("n_stages") is not None


def blocks(summary: Summary) -> list[Block]:
    """The summary in order of reading: what was done, what came out, how it compares, where it lies."""
    return [*_what(summary), *_outcome(summary), *_continual(summary), *_comparison(summary), *_places(summary)]


def markdown(summary: Summary) -> str:
    """The text of summary.md."""

    def one(block: Block) -> str:
        if isinstance(block, str):
            return block
        if isinstance(block, Verdict):
            return f"**{block.sentence}**"
        rule = ["---", *(["--:"] if block.numbers else ["---"]) * (len(block.head) - 1)]
        lines = [" | ".join(cell.replace("|", "\\|") for cell in line) for line in (block.head, rule, *block.lines)]
        return f"## {block.title}\n\n" + "\n".join(f"| {line} |" for line in lines)

    return f"# {summary.study.get('name', summary.folder.name)}\n\n" + "\n\n".join(map(one, blocks(summary))) + "\n"


def write_summary(store: RunStore) -> Path:
    """Writes summary.md into the run's folder."""
    path = store.folder / schema.SUMMARY
    write_atomic(path, markdown(summarise(store)).encode())
    return path


def render(summary: Summary) -> Group:
    """The summary for a rich console; fits 80 columns."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    def one(block: Block) -> RenderableType:
        if isinstance(block, str):
            return Text(block)
        if isinstance(block, Verdict):
            return Text(block.sentence, style="bold green" if block.good else "bold yellow")
        table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
        for n, name in enumerate(block.head):
            table.add_column(name, justify="right" if n and block.numbers else "left", overflow="fold")
        for line in block.lines:
            table.add_row(*map(Text, line))
        return Group(Text(block.title, style="bold"), table)

    title = Text(summary.study.get("name", summary.folder.name), style="bold cyan")
    spaced = [part for block in blocks(summary) for part in (Text(), one(block))]
    return Group(Text(), title, *spaced)


def _what(summary: Summary) -> list[Block]:
    study, problem = summary.study, summary.study["problem"]
    data = study.get("data", {})
    size = f" ({_size(data)})" if data else ""
    model = study["space"]["model"] if "space" in study else "a model"
    searched_by = ", ".join(str(study[key]) for key in ("sampler", "scheduler") if key in study and summary.n_wanted > 1)
    states = Counter(row.state for row in summary.rows)
    counts = ", ".join(f"{states[state]} {state}" for state in State if states[state]) or "none yet"
    spent = f"{text.duration(summary.working_s)} of training and scoring in {text.duration(summary.wall_s)} of wall time"
    n_stages = len(data.get("validation", []))
    began = "".join(f" The sampler began with {text.count(n, 'trial')} of {name}." for name, n in summary.evidence.items())
    how = " (its last step alone)" if problem.get("last_step_only") else ""
    how += ", forecasts rounded to whole numbers" if problem.get("whole_numbers") else ""
    words = "stages, learned in turn" if _is_continual(study) else "folds"
    where = f"the mean of {n_stages} {words}" if n_stages > 1 else "validation"
    return [
        f"{model} on {problem['dataset']}{size}, horizon {problem['horizon']}{how}, ranked by {summary.metric} on {where}. "
        f"Space {study.get('space_name', model)}, seed {study.get('seed', '?')}{f'; {searched_by}' if searched_by else ''}.",
        f"{text.count(len(summary.rows), 'trial')} of {summary.n_wanted}: {counts}. {spent}.{began}",
    ]


def _size(data: dict[str, Any]) -> str:
    n_series, n_read, n_missing = data.get("n_series", 1), data.get("n_series_read", 1), data.get("n_missing", 0)
    parts = [f"{data['n_rows']:,} rows", text.count(len(data["channels"]), "channel")]
    if n_read > 1:
        dropped = "" if n_series == n_read else f" of {n_read:,}, the rest too short"
        parts.insert(0, f"{n_series:,} series{dropped}")
    if n_missing:
        parts.append(f"{text.count(n_missing, 'missing value')} filled")
    return ", ".join(parts)


def _outcome(summary: Summary) -> list[Block]:
    best, baseline, metric = summary.best, summary.baseline, summary.metric
    found: list[Block] = []
    open_ = [row for row in summary.rows if not row.state.over and not row.left_out]
    if any(row.state is State.RUNNING for row in open_):
        found.append("The study is still running, or was cut off: what follows may change.")
    if open_:
        found.append(f"{text.count(len(open_), 'trial')} can go on: python -m tuner.run --resume {summary.folder}")
    left_out = [str(row.number) for row in summary.rows if row.left_out]
    if left_out:
        found.append(f"Left out, since the space no longer holds them: {', '.join(left_out)}.")
    broken = [row for row in summary.rows if row.state is State.FAILED]
    if broken:
        found.append(Verdict(f"{text.count(len(broken), 'trial')} failed, the first with: {broken[0].note}.", good=False))
    no_yardstick = baseline is not None and baseline.state in (State.INFEASIBLE, State.FAILED)
    if no_yardstick and baseline is not None:
        what = "failed" if baseline.state is State.FAILED else f"was {baseline.state}"
        found.append(Verdict(f"There is no yardstick: the baseline (trial 0) {what} ({baseline.note}).", good=False))
    better = [str(row.number) for row in takewhile(lambda row: row.pruned, ranked(summary.rows))]
    if better:
        found.append(f"Scored better, but their weights were removed for others to have space: trials {', '.join(better)}.")
    if best is None:
        return [*found, "No trial has a value yet."]
    line = f"Best is trial {best.number}: {metric} {text.number(best.value)} on validation, {text.count(best.epochs, 'epoch')}"
    if len(summary.rows) == 1:
        return [*found, f"{line}."]
    if best.number == 0:
        found.append(f"{line}. It is the baseline: no other config was better.")
    elif no_yardstick or baseline is None or baseline.value is None or best.value is None:
        found.append(f"{line}.")
    else:
        than = text.compared(metric, best.value, baseline.value, "the baseline")
        found.append(f"{line}, {than} ({text.number(baseline.value)}).")
    if baseline is not None:
        found.extend(_changes(summary, baseline, best))
    if summary.rungs:
        lines = [(str(rung.epoch), str(rung.n_reached), str(rung.n_stopped)) for rung in summary.rungs]
        found.append(Grid("Stopped early", ("after epoch", "reached", "stopped"), lines))
    return found


def _changes(summary: Summary, baseline: Row, best: Row) -> list[Block]:
    space = Space.from_json(summary.study["space"]) if "space" in summary.study else None
    search = space.search if space else {}
    keys = list(dict.fromkeys([*search, *baseline.config, *best.config]))

    def value(row: Row, key: str) -> str:
        return text.plain(row.config[key]) if key in row.config else "-"

    def differs(key: str) -> bool:
        both = key in baseline.config and key in best.config
        return not same(baseline.config[key], best.config[key]) if both else key in baseline.config or key in best.config

    def searched(key: str) -> str:
        return str(search[key]) if isinstance(search.get(key), Domain) else ""

    changed = [key for key in keys if differs(key)]
    kept = [
        f"{key} {value(best, key)} ({searched(key)})"
        for key in keys
        if key not in changed and key in best.config and searched(key)
    ]
    found: list[Block] = []
    if changed:
        lines = [(key, value(baseline, key), value(best, key), searched(key)) for key in changed]
        found.append(Grid("The best config, where it differs", ("key", "baseline", "best", "searched"), lines, numbers=False))
    if kept:
        found.append(f"Searched too, and as in the baseline: {', '.join(kept)}.")
    return found


def _continual(summary: Summary) -> list[Block]:
    """What was learned and forgotten: the error matrix of the best, and its sums beside the baseline's."""
    if "best" not in summary.matrices:
        return []
    best = summary.matrices["best"]
    shown = {who: matrix for who, matrix in summary.matrices.items() if who == "best" or matrix != best}
    lines = [(f"after {name}", *map(text.number, values)) for name, values in zip(best.stages, best.values, strict=False)]
    return [
        Grid(f"Error matrix of the best, {summary.metric} on validation of each stage", ("", *best.stages), lines),
        Grid(
            "Continual learning",
            ("", *shown),
            [
                (
                    f"mean over all stages, after {best.stages[len(best.values) - 1]}",
                    *(text.number(matrix.mean) for matrix in shown.values()),
                ),
                ("forgetting of those before it", *(text.number(matrix.forgetting) for matrix in shown.values())),
            ],
        ),
    ]


def _comparison(summary: Summary) -> list[Block]:
    scores, metric = summary.scores, summary.metric
    if not scores:
        return []

    def cell(score: Standing, part: schema.Part, name: str) -> str:
        return text.number(score.metrics.get(part, {}).get(name))

    def windows(score: Standing, part: schema.Part) -> str:
        return f"{score.n_windows[part]:,}" if part in score.n_windows else "-"

    ran = [score for score in scores if score.metrics]
    lines: list[tuple[str, ...]] = [
        (
            score.who,
            str(score.lookback),
            cell(score, "validation", metric),
            windows(score, "validation"),
            cell(score, "test", metric),
            windows(score, "test"),
        )
        for score in ran
    ]
    head = ("", "lookback", "validation", "windows", "test", "windows")
    found: list[Block] = [Grid(f"{metric}, {METRICS[metric].way}", head, lines)]
    found.extend(_other_metrics(summary))
    found.extend(_channels(summary))
    found.extend(_tasks(summary))
    notes = [f"{score.who} ({score.note})" for score in ran if score.note]
    if notes:
        found.append(f"As fitted: {', '.join(notes)}.")
    found.extend(f"{score.who}: {score.note}." for score in scores if score not in ran)
    if len({tuple(sorted(score.n_windows.items())) for score in ran}) > 1:
        found.append(Verdict("These scores are over different windows and cannot be compared.", good=False))
        return found
    return [*found, *_verdicts(summary)]


def _shown(summary: Summary) -> list[Standing]:
    """The best, the baseline, and the floor that is best on test."""
    ran = [score for score in summary.scores if score.metrics]
    floors = [score for score in ran if score.who not in ("best", "baseline")]
    floors.sort(key=lambda score: _cost(score, summary.metric))
    return [score for score in ran if score.who in ("best", "baseline")] + floors[:1]


def _other_metrics(summary: Summary) -> list[Block]:
    shown = _shown(summary)
    there = {name for score in shown for name in score.metrics.get("test", {})} - {summary.metric}
    many = summary.study.get("data", {}).get("n_series", 1) > 1
    names = [name for name, metric in METRICS.items() if name in there and (many or not metric.for_many_series)]
    if not names:
        return []
    lines = [(name, *(text.number(score.metrics.get("test", {}).get(name)) for score in shown)) for name in names]
    yardstick = next((score.metrics.get("test", {}) for score in summary.scores if score.who == "naive2"), {})
    if yardstick.get("smape") and yardstick.get("mase"):
        lines.append(("owa", *(text.number(_owa(score.metrics.get("test", {}), yardstick)) for score in shown)))
    found: list[Block] = [Grid("Other metrics on test", ("", *(score.who for score in shown)), lines)]
    dropped = {name: n for name, n in shown[0].n_dropped.items() if n}
    if dropped:
        left_out = ", ".join(f"{n:,} from {name}" for name, n in dropped.items())
        found.append(f"Series and channels left out, since the metric has no value for them: {left_out}.")
    return found


def _owa(metrics: Mapping[str, float], yardstick: Mapping[str, float]) -> float | None:
    """M4's overall weighted average: the mean of the two errors, each over that of Naive 2, by the seasons of the data."""
    if not {"smape", "mase"} <= metrics.keys():
        return None
    return (metrics["smape"] / yardstick["smape"] + metrics["mase"] / yardstick["mase"]) / 2


def _channels(summary: Summary) -> list[Block]:
    shown = [score for score in _shown(summary) if score.by_channel.get("mae")]
    channels = list(dict.fromkeys(channel for score in shown for channel in score.by_channel["mae"]))
    if len(channels) < 2:
        return []
    lines = [
        (channel, *(text.number(score.by_channel["mae"].get(channel)) for score in shown))
        for channel in channels[:MAX_CHANNELS]
    ]
    more = f", the first {MAX_CHANNELS} of {len(channels)}" if len(channels) > MAX_CHANNELS else ""
    return [Grid(f"Mean absolute error on test, in each channel's own units{more}", ("", *(s.who for s in shown)), lines)]


def _tasks(summary: Summary) -> list[Block]:
    """The scaled errors of best and baseline on test: a task is a channel, or a block of the horizon."""
    shown = [score for score in summary.scores if score.who in ("best", "baseline")]
    metrics = [name for name in ("mse_scaled", "mae_scaled") if any(name in score.metrics.get("test", {}) for score in shown)]
    head = ("", *(f"{name.removesuffix('_scaled')} {score.who}" for name in metrics for score in shown))
    channels = list(dict.fromkeys(key for s in shown for name in metrics for key in s.by_channel.get(name, {})))
    n_steps = max((len(score.by_step.get(name, [])) for score in shown for name in metrics), default=0)
    found: list[Block] = []
    if len(channels) > 1:
        more = f", the first {MAX_CHANNELS} of {len(channels)}" if len(channels) > MAX_CHANNELS else ""
        lines = [
            (channel, *(text.number(score.by_channel.get(name, {}).get(channel)) for name in metrics for score in shown))
            for channel in channels[:MAX_CHANNELS]
        ]
        found.append(Grid(f"Scaled errors on test by channel{more}", head, lines))
    if n_steps > 1 and not summary.study["problem"].get("last_step_only"):
        lines = [
            (_span(steps), *(text.number(_block_mean(score, name, steps)) for name in metrics for score in shown))
            for steps in _horizon_blocks(n_steps)
        ]
        found.append(Grid("Scaled errors on test by block of the horizon, the mean over its steps", head, lines))
    return found


def _horizon_blocks(n_steps: int) -> list[range]:
    """The steps of each block, from 0; blocks differ by at most one step."""
    n = min(N_BLOCKS, n_steps)
    starts = [-(-block * n_steps // n) for block in range(n + 1)]
    return [range(start, end) for start, end in pairwise(starts)]


def _span(steps: range) -> str:
    return f"step {steps[0] + 1}" if len(steps) == 1 else f"steps {steps[0] + 1} to {steps[-1] + 1}"


def _block_mean(score: Standing, metric: str, steps: range) -> float | None:
    """Nothing if a step has no value."""
    values = [value for value in score.by_step.get(metric, [])[steps.start : steps.stop] if value is not None]
    return math.fsum(values) / len(steps) if len(values) == len(steps) else None


def _cost(score: Standing, metric: str) -> float:
    """What ranks a score on test; infinite without one."""
    value = score.metrics.get("test", {}).get(metric)
    return float("inf") if value is None else METRICS[metric].cost(value)


def _verdicts(summary: Summary) -> list[Block]:
    metric = summary.metric
    values = {score.who: score.metrics["test"][metric] for score in summary.scores if metric in score.metrics.get("test", {})}
    if "best" not in values:
        return []
    costs = {who: METRICS[metric].cost(value) for who, value in values.items()}
    floors = [who for who in values if who not in ("best", "baseline")]
    floor = min(floors, key=lambda who: costs[who], default=None)
    found: list[Block] = []

    def beaten_by(who: str) -> str:
        both = f"{text.number(values[who])} against {text.number(values['best'])}"
        return f"beats the tuned model on test ({metric} {both}, {text.difference(metric, values[who], values['best'])})"

    if floor is not None and costs[floor] < costs["best"]:
        found.append(Verdict(f"{floor} {beaten_by(floor)}: use it, or search longer.", good=False))
    if "baseline" in costs and costs["baseline"] < costs["best"]:
        n_windows = next(score.n_windows["validation"] for score in summary.scores if score.who == "best")
        few = n_windows <= summary.study.get("data", {}).get("n_series", 1)
        advice = "let more than one window a series choose, by --folds" if few else "search longer"
        found.append(Verdict(f"The baseline {beaten_by('baseline')}: {advice}.", good=False))
    if not found:
        rivals = {"baseline": "the baseline's", **({floor: f"that of the best floor, {floor}"} if floor else {})}
        parts = [
            text.compared(metric, values["best"], values[who], name)
            for who, name in rivals.items()
            if who in costs and costs[who] > costs["best"]
        ]
        if parts:
            found.append(Verdict(f"On test, the tuned model's {metric} is {' and '.join(parts)}.", good=True))
    return found


def _places(summary: Summary) -> list[Block]:
    contents = {
        schema.BEST: "the best model, and how to use it",
        schema.TABLE: "all trials",
        schema.TRIALS: "their configs, curves, logs, weights",
    }
    there = ", ".join(f"{name} ({what})" for name, what in contents.items() if (summary.folder / name).exists())
    kept = sum(row.epochs > 0 and not row.pruned for row in summary.rows)
    space = f" The weights of {text.count(kept, 'trial')} take {text.size(summary.checkpoint_bytes)}." if kept else ""
    return [f"In {summary.folder}: {there or 'nothing yet'}.{space}", f"Curves: tensorboard --logdir {summary.folder}"]
