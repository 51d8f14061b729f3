"""Train one config without Ray: the baseline of a space, with keys set. The same code as a trial, kept as a study of one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tuner.console import options
from tuner.console.errors import fail, user_mistakes
from tuner.console.process import restart_with
from tuner.study.build import check_folder, default_name, load_space, longest_windows, parse_problem
from tuner.study.environment import ENVIRONMENT
from tuner.study.problem_data import read_problem
from tuner.study.schema import defaults_of
from tuner.study.study import Budget, Resources, Study

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(epilog="Example: python -m tuner.train --space informer --set train.learning_rate=0.001")
def train(
    space: options.Space,
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
    protocol: options.Protocol = "holdout",
    stages: options.Stages = None,
    last_step_only: options.LastStepOnly = False,
    whole_numbers: options.WholeNumbers = False,
    paths: options.Paths = 20,
    settings: options.Settings = None,
    epochs: options.Epochs = 9,
    seed: options.Seed = 0,
    accelerator: Annotated[str, typer.Option("--accelerator", help="cpu, gpu or mps.", rich_help_panel=options.WHERE)] = "cpu",
    threads: Annotated[int, typer.Option("--threads", help="CPU threads.", rich_help_panel=options.WHERE)] = 1,
    name: Annotated[str | None, typer.Option("--name", help="Of the run.", rich_help_panel=options.WHERE)] = None,
    runs: Annotated[Path, typer.Option("--runs", help="Folder of all runs.", rich_help_panel=options.WHERE)] = Path("runs"),
) -> None:
    """Train one config without Ray: the baseline of a space, with keys set; kept as a study of one trial."""
    restart_with(ENVIRONMENT, "tuner.train")

    from tuner.results.store import RunStore
    from tuner.study.metrics import check_metric
    from tuner.study.record import record

    with user_mistakes():
        problem = parse_problem(
            dataset=dataset, horizon=horizon, metric=metric, data_dir=data_dir, target=target, covariates=covariates,
            known=known, static=static, series_id=series_id, fill=fill, short_series=short_series, split=split, folds=folds,
            folds_file=folds_file, protocol=protocol, stages=stages, last_step_only=last_step_only, whole_numbers=whole_numbers,
            paths=paths,
        )  # fmt: skip
        steps = problem.horizon
        fixed = load_space(space, settings or [], steps, chained=problem.chained)
        study = Study(
            name=name or default_name(f"train-{space}", dataset, steps),
            space_name=space,
            space=fixed,
            problem=problem,
            budget=Budget(n_trials=1, epochs=problem.epochs(epochs)),
            sampler="random",
            scheduler="none",
            seed=seed,
            runs=runs,
            resources=Resources(),
        )
        if threads < 1:
            raise ValueError(f"--threads must be 1 or more, got {threads}")
        check_metric(metric, fixed)
        check_folder(runs, study.name)
        baseline = fixed.baseline_config(steps, defaults_of(fixed.model))
        data = read_problem(study.problem, *longest_windows(fixed, steps))

        from tuner.training.check import check_accelerator, check_configs

        check_accelerator(accelerator)
        check_configs(fixed.model, [baseline], data.for_trials(), metric)
        store = RunStore.create(study.folder)
    store.write_study(record(study, data, baseline))

    from rich.console import Console

    from cluster.finish import ScoreMismatch
    from cluster.run_one import run_one
    from tuner.results.summary import render, summarise

    try:
        outcome = run_one(study, store, baseline, data, accelerator, threads)
    except ScoreMismatch as error:
        fail(f"nothing was exported: {error}; please report this", code=1)
    except KeyboardInterrupt:
        fail(f"interrupted; what was reported is kept in {store.folder}", code=130)
    if outcome.reason:
        fail(f"training failed: {outcome.reason}\n{outcome.traceback}", code=1)
    Console().print(render(summarise(store)))


if __name__ == "__main__":
    app()
