"""What a study would do, for ``--dry-run``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from search_spaces.base import Config, Domain
from tuner.results import text
from tuner.study.build import longest_windows
from tuner.study.lookup import model_class
from tuner.study.metrics import METRICS
from tuner.study.problem_data import ProblemData
from tuner.study.study import Study
from tuner.training.check import describe, unused_inputs

if TYPE_CHECKING:
    from datasets.base import Panel
    from datasets.windows.prepared import Split


def print_plan(study: Study, data: ProblemData, baseline: Config, sampled: list[Config]) -> None:
    """The plan, the space, the baseline and some sampled configs."""
    console, budget, problem = Console(), study.budget, study.problem
    plan = Table(show_header=False, box=None, pad_edge=False)
    plan.add_column(style="bold", no_wrap=True)
    plan.add_column()
    plan.add_row("Study", f"{study.name}, seed {study.seed}; would be kept in {study.folder}")
    plan.add_row("Data", f"{problem.dataset}: {_size(data)}")
    for what, names in _columns(data.panel).items():
        plan.add_row(what, f"{', '.join(names[:12])}{f' and {len(names) - 12} more' if len(names) > 12 else ''}")
    for split in (*data.validation, data.test):
        plan.add_row(f"Stage {split.name}", _stage(split))
    how = ", the last alone counts" if problem.last_step_only else ""
    how += ", forecasts are rounded to whole numbers" if problem.whole_numbers else ""
    plan.add_row("Horizon", f"{text.count(problem.horizon, 'step')} of {data.panel.frequency}{how}")
    shares = f", {budget.epochs // problem.n_stages} for each stage in turn" if problem.n_stages else ""
    limit = f", no start after {budget.time_s:g} s" if budget.time_s else ""
    plan.add_row("Budget", f"{budget.n_trials} trials of at most {budget.epochs} epochs{shares}{limit}")
    metric = METRICS[problem.metric]
    plan.add_row("Search", f"{study.sampler} proposes, {study.scheduler} stops")
    plan.add_row("Ranked by", f"{metric.name}, {metric.way}: {metric.formula}")
    console.print(plan)
    has_lags = longest_windows(study.space, problem.horizon)[1] != 0
    if unused := unused_inputs(model_class(study.space.model), data.panel, lags=has_lags):
        console.print(f"[yellow]{study.space.model} does not use these inputs: {', '.join(unused)}.[/]")
    space = Table(
        "key", "range", "baseline", title=f"\nSpace {study.space_name}", title_justify="left", box=None, pad_edge=False
    )
    for key, domain in study.space.search.items():
        when = domain.when if isinstance(domain, Domain) else {}
        where = "".join(f"  (when {k}={' or '.join(map(str, v)) if isinstance(v, tuple) else v})" for k, v in when.items())
        range_ = f"{domain}{where}" if isinstance(domain, Domain) else f"fixed: {domain}"
        space.add_row(key, range_, str(baseline[key]) if key in baseline else "-")
    console.print(space)
    console.print("\nSampled configs, each built and tried on two windows:")
    for config in sampled:
        console.print(f"- {describe(config)}", highlight=False)
    console.print("\nAll checks passed; nothing was started or written.")


def _size(data: ProblemData) -> str:
    panel = data.panel
    rows = f"{len(panel.values):,} rows x {text.count(len(panel.channels), 'channel')}"
    n_series, n_read = len(panel.series), data.n_series_read
    series = "" if n_read == 1 else f"{n_series:,} series, " if n_series == n_read else f"{n_series:,} of {n_read:,} series, "
    return f"{series}{rows}, {text.count(data.n_missing, 'missing value')}{' filled' if data.n_missing else ''}"


def _columns(panel: Panel) -> dict[str, tuple[str, ...]]:
    """The parts of the columns, those that the panel has."""
    parts = {
        "Targets": panel.channels,
        "Covariates": panel.covariate_names,
        "Known ahead": panel.known_names,
        "Static": (*panel.static_names, *panel.category_names),
    }
    return {what: names for what, names in parts.items() if names}


def _stage(split: Split) -> str:
    """The rows of a stage; of many series those of the shortest and the longest."""

    def words(i: int) -> str:
        (train_start, train_end), (start, end) = split.train[i], split.score[i]
        return f"trains on rows {train_start} to {train_end - 1}, scores {start} to {end - 1}"

    ends = split.score[:, 1]
    first, last = int(ends.argmin()), int(ends.argmax())
    return words(last) if ends[first] == ends[last] else f"{words(first)} (shortest series); {words(last)} (longest)"
