"""What a study would do, for ``--dry-run``."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from search_spaces.base import Config, Domain
from tuner.study.problem_data import ProblemData
from tuner.study.study import Study
from tuner.training.check import describe


def print_plan(study: Study, data: ProblemData, baseline: Config, sampled: list[Config]) -> None:
    """The plan, the space, the baseline and some sampled configs."""
    console, borders, budget = Console(), data.borders, study.budget
    plan = Table(show_header=False, box=None, pad_edge=False)
    plan.add_column(style="bold", no_wrap=True)
    plan.add_column()
    n_rows, n_channels = data.panel.values.shape
    missing = int((~data.panel.observed).sum())
    plan.add_row("Study", f"{study.name}, seed {study.seed}; would be kept in {study.folder}")
    plan.add_row("Data", f"{study.problem.dataset}: {n_rows} rows x {n_channels} channels, {missing} values filled")
    plan.add_row(
        "Split",
        f"train rows 0 to {borders.train_end - 1}, validation to {borders.val_end - 1}, test to {borders.test_end - 1}; "
        f"horizon {study.problem.horizon}",
    )
    plan.add_row("Budget", f"{budget.n_trials} trials of at most {budget.epochs} epochs" + (
        f", no start after {budget.time_s:g} s" if budget.time_s else ""))  # fmt: skip
    plan.add_row(
        "Search", f"{study.sampler} proposes, {study.scheduler} stops; ranked by {study.problem.metric}, lower is better"
    )
    console.print(plan)
    space = Table(
        "key", "range", "baseline", title=f"\nSpace {study.space_name}", title_justify="left", box=None, pad_edge=False
    )
    for key, domain in study.space.search.items():
        where = "".join(f"  (when {k}={v})" for k, v in (domain.when if isinstance(domain, Domain) else {}).items())
        text = f"{domain}{where}" if isinstance(domain, Domain) else f"fixed: {domain}"
        space.add_row(key, text, str(baseline[key]) if key in baseline else "-")
    console.print(space)
    console.print("\nSampled configs, each built and trained for one step on two windows:")
    for config in sampled:
        console.print(f"- {describe(config)}", highlight=False)
    console.print("\nAll checks passed; nothing was started or written.")
