"""Tune a forecaster: search its space on real data, export the best checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from search_spaces.base import Config
from tuner.console import options
from tuner.console.errors import fail, user_mistakes
from tuner.study.build import check_folder, default_name, load_space, longest_windows, parse_duration, parse_problem
from tuner.study.problem_data import ProblemData, read_problem
from tuner.study.schema import defaults_of, did_you_mean
from tuner.study.study import Budget, Resources, Study

if TYPE_CHECKING:
    from tuner.results.store import RunStore

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="rich")

_N_TRIED = 3
"""Sampled configs that are built and stepped before anything starts, besides the baseline."""


@app.command(epilog="Example: python -m tuner.run --space informer --trials 20")
def run(
    space: options.Space = "",
    dataset: options.Dataset = "nyc_airports",
    horizon: options.Horizon = None,
    metric: options.Metric = "mse_scaled",
    data_dir: options.DataDir = None,
    target: options.Target = None,
    covariates: options.Covariates = None,
    known: options.Known = None,
    static: options.Static = None,
    series_id: options.SeriesId = None,
    fill: options.Fill = None,
    short_series: options.ShortSeries = None,
    split: options.Split = None,
    folds: options.Folds = 1,
    folds_file: options.FoldsFile = None,
    paths: options.Paths = 20,
    settings: options.Settings = None,
    trials: Annotated[int, typer.Option("--trials", help="Configs to try.", rich_help_panel=options.HOW)] = 20,
    epochs: options.Epochs = 9,
    time: Annotated[
        str | None, typer.Option("--time", help="No trial starts after that: 90s, 10m, 2h.", rich_help_panel=options.HOW)
    ] = None,
    scheduler: Annotated[
        str, typer.Option("--scheduler", help="asha stops weak trials early; none.", rich_help_panel=options.HOW)
    ] = "asha",
    sampler: Annotated[str, typer.Option("--sampler", help="tpe, random or qmc.", rich_help_panel=options.HOW)] = "tpe",
    seed: options.Seed = 0,
    name: Annotated[
        str | None, typer.Option("--name", help="Of the study; made up if absent.", rich_help_panel=options.WHERE)
    ] = None,
    runs: Annotated[Path, typer.Option("--runs", help="Folder of all studies.", rich_help_panel=options.WHERE)] = Path("runs"),
    cpus_per_trial: Annotated[
        float | None, typer.Option("--cpus-per-trial", help="Default: one.", rich_help_panel=options.WHERE)
    ] = None,
    gpus_per_trial: Annotated[
        float | None,
        typer.Option(
            "--gpus-per-trial", help="Default: one where there are GPUs. 0.5 lets two share.", rich_help_panel=options.WHERE
        ),
    ] = None,
    address: Annotated[
        str | None,
        typer.Option(
            "--address", help="Of a running Ray cluster, host:port; this machine is part of it.", rich_help_panel=options.WHERE
        ),
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="Show spaces, data sets, models and metrics, and stop.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, show the plan, and stop.")] = False,
) -> None:
    """Tune a forecaster: search its space on real data, export the best checkpoint."""
    if list_:
        from tuner.console.listing import print_names

        print_names()
        return
    if not space:
        fail("--space names what is tuned, for example --space informer; --list shows what there is")
    with user_mistakes():
        problem = parse_problem(
            dataset=dataset, horizon=horizon, metric=metric, data_dir=data_dir, target=target, covariates=covariates,
            known=known, static=static, series_id=series_id, fill=fill, short_series=short_series, split=split, folds=folds,
            folds_file=folds_file, paths=paths,
        )  # fmt: skip
        steps = problem.horizon
        fixed = load_space(space, settings or [], steps)
        study = Study(
            name=name or default_name(space, dataset, steps),
            space_name=space,
            space=fixed,
            problem=problem,
            budget=Budget(n_trials=trials, epochs=epochs, time_s=parse_duration(time) if time else None),
            sampler=sampler,
            scheduler=scheduler,
            seed=seed,
            runs=runs,
            resources=Resources(cpus_per_trial=cpus_per_trial, gpus_per_trial=gpus_per_trial, address=address),
        )
        _check_names(study)
        check_folder(runs, study.name)
        data = read_problem(study.problem, *longest_windows(fixed, steps))
        baseline = fixed.baseline_config(steps, defaults_of(fixed.model))
        sampled = _try_configs(study, data, baseline)
    if dry_run:
        from tuner.console.plan import print_plan

        print_plan(study, data, baseline, sampled)
        return
    from tuner.results.store import RunStore
    from tuner.study.record import record

    with user_mistakes():
        store = RunStore.create(study.folder)
    store.write_study(record(study, data, baseline))
    raise SystemExit(_conduct(study, data, baseline, store))


def _check_names(study: Study) -> None:
    import cluster.samplers
    import cluster.schedulers
    from cluster.connect import check_address
    from cluster.placement import check_shares
    from tuner.study.metrics import check_metric

    for what, word, known in (
        ("sampler", study.sampler, cluster.samplers.names()),
        ("scheduler", study.scheduler, cluster.schedulers.names()),
    ):
        if word not in known:
            raise LookupError(did_you_mean(word, known, what))
    check_metric(study.problem.metric, study.space)
    check_shares(study.resources.cpus_per_trial, study.resources.gpus_per_trial)
    if study.resources.address is not None:
        check_address(study.resources.address)


def _try_configs(study: Study, data: ProblemData, baseline: Config) -> list[Config]:
    from cluster.samplers import get
    from tuner.training.check import check_configs

    sampler = get("random")(study.space, study.seed)
    sampled = [sampler.ask(number) for number in range(1, _N_TRIED + 1)]
    check_configs(study.space.model, [baseline, *sampled], data.for_trials(), study.problem.metric)
    return sampled


def _conduct(study: Study, data: ProblemData, baseline: Config, store: RunStore) -> int:
    """Runs the study and prints what it found; the exit code."""
    import shutil
    import sys

    from rich.console import Console

    from cluster.finish import ScoreMismatch
    from cluster.placement import ClusterMismatch
    from cluster.study_runner import run_study
    from cluster.watching import StudyWatch
    from tuner.results.summary import render, summarise

    console = Console(file=sys.stdout)  # this very stream: others print to it by name, and are kept from it
    try:
        with StudyWatch(console, study) as watcher:
            outcome = run_study(study, store, baseline, data, watcher)
    except ClusterMismatch as error:
        shutil.rmtree(store.folder)  # no trial was proposed
        fail(str(error))
    except ScoreMismatch as error:
        fail(f"nothing was exported: {error}; please report this", code=1)
    except KeyboardInterrupt:
        console.print(render(summarise(store)))
        sys.stderr.write(f"Interrupted. What had ended is kept in {store.folder}.\n")
        return 130
    console.print(render(summarise(store)))
    if outcome.loop.broken:
        sys.stderr.write(f"error: the code failed, and not the config; the study ended.\n{outcome.loop.broken}\n")
        return 1
    return 0 if outcome.exported else 1


if __name__ == "__main__":
    app()
