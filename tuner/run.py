"""Tune a forecaster: search its space on real data, export the best checkpoint."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from search_spaces.base import Config
from tuner.console import options
from tuner.console.errors import fail, user_mistakes
from tuner.study.build import (
    check_folder,
    default_name,
    load_space,
    longest_windows,
    parse_count,
    parse_duration,
    parse_problem,
)
from tuner.study.problem_data import ProblemData, read_problem
from tuner.study.resuming import parse_limits
from tuner.study.schema import defaults_of, did_you_mean
from tuner.study.study import Budget, Limits, Resources, Study

if TYPE_CHECKING:
    from cluster.study_loop import StudyLoop

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="rich")

_N_TRIED = 3
"""Sampled configs that are built and tried before anything starts, besides the baseline."""


@app.command(epilog="Example: python -m tuner.run --space informer --trials 20")
def run(
    context: typer.Context,
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
    protocol: options.Protocol = "holdout",
    stages: options.Stages = None,
    last_step_only: options.LastStepOnly = False,
    whole_numbers: options.WholeNumbers = False,
    paths: options.Paths = 20,
    settings: options.Settings = None,
    trials: Annotated[
        str, typer.Option("--trials", help="Configs to try. To --resume with 20 more: +20.", rich_help_panel=options.HOW)
    ] = "20",
    epochs: options.Epochs = 9,
    time: Annotated[
        str | None,
        typer.Option(
            "--time",
            help="Then no trial starts, and running ones end with their epoch: 90s, 10m, 2h. To --resume with 2 h more: +2h.",
            rich_help_panel=options.HOW,
        ),
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
    resume: Annotated[
        Path | None,
        typer.Option("--resume", help="A run folder to go on with; see docs/faults.md.", rich_help_panel=options.FAULTS),
    ] = None,
    warm_start: Annotated[
        Path | None,
        typer.Option(
            "--warm-start", help="A run folder whose results the sampler begins with.", rich_help_panel=options.FAULTS
        ),
    ] = None,
    retries: Annotated[
        int,
        typer.Option("--retries", help="How often a trial goes on after its worker was lost.", rich_help_panel=options.FAULTS),
    ] = 2,
    trial_timeout: Annotated[
        str | None,
        typer.Option(
            "--trial-timeout", help="A trial without a report for so long hangs: 10m, 2h.", rich_help_panel=options.FAULTS
        ),
    ] = None,
    oom: Annotated[
        str,
        typer.Option(
            "--oom",
            help="A trial that runs out of memory is infeasible; split: its batches go in parts.",
            rich_help_panel=options.FAULTS,
        ),
    ] = "infeasible",
    keep_gb: Annotated[
        float | None,
        typer.Option("--keep-gb", help="Most that a study's checkpoints may take.", rich_help_panel=options.FAULTS),
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="Show spaces, data sets, models and metrics, and stop.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, show the plan, and stop.")] = False,
) -> None:
    """Tune a forecaster: search its space on real data, export the best checkpoint."""
    if list_:
        from tuner.console.listing import print_names

        print_names()
        return
    given = {name: value for name, value in context.params.items() if _is_given(context, name)}
    if resume is not None:
        raise SystemExit(_resume(resume, given))
    if not space:
        fail("--space names what is tuned, for example --space informer; --list shows what there is")
    from tuner.results.evidence import evidence_of
    from tuner.results.store import RunStore
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
            name=name or default_name(space, dataset, steps),
            space_name=space,
            space=fixed,
            problem=problem,
            budget=Budget(
                n_trials=parse_count(trials, "--trials"),
                epochs=problem.epochs(epochs),
                time_s=parse_duration(time) if time else None,
            ),
            sampler=sampler,
            scheduler=scheduler,
            seed=seed,
            runs=runs,
            resources=Resources(cpus_per_trial=cpus_per_trial, gpus_per_trial=gpus_per_trial, address=address),
            limits=parse_limits(Limits(), given),
        )
        _check_names(study)
        check_folder(runs, study.name)
        data = read_problem(study.problem, *longest_windows(fixed, steps))
        baseline = fixed.baseline_config(steps, defaults_of(fixed.model))
        whole = record(study, data, baseline)
        if warm_start is not None:
            whole["evidence"] = [asdict(each) for each in evidence_of(RunStore.open(warm_start), whole)]
        sampled = _try_configs(study, data, baseline)
    if dry_run:
        from tuner.console.plan import print_plan

        print_plan(study, data, baseline, sampled)
        return
    from cluster.study_loop import StudyLoop

    with user_mistakes():
        store = RunStore.create(study.folder)
        store.write_study(whole)
    raise SystemExit(_conduct(StudyLoop.of(study, baseline, store), data, is_new=True))


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE" and name != "resume"


def _resume(folder: Path, given: dict[str, Any]) -> int:
    """Goes on with a study; the exit code."""
    from rich.console import Console

    from cluster.study_loop import StudyLoop, used_s
    from tuner.results.store import RunStore, best_row
    from tuner.results.summary import render, summarise
    from tuner.study.resuming import changes, recorded_data, resumed

    with user_mistakes():
        store = RunStore.resume(folder)
        whole = store.study()
        before = Study.from_json(whole, folder)
        study = resumed(before, given, used_s(store.events()))
        _check_names(study)
        data = recorded_data(whole, folder, study.problem, study.space)
        _try_configs(study, data, whole["baseline"])
    loop = StudyLoop.of(study, whole["baseline"], store)
    console = Console()
    if loop.left_out:
        console.print(f"left out, as the space does not hold them any more: trials {', '.join(map(str, loop.left_out))}")
    if loop.is_done and store.is_complete and loop.left_out == [row.number for row in store.rows() if row.left_out]:
        why, more = ("Its time is up", "--time +1h") if loop.ending else ("Nothing is left to do", "--trials +20")
        console.print(render(summarise(store)))
        console.print(f"{why}. For more: python -m tuner.run --resume {folder} {more}", highlight=False, soft_wrap=True)
        return 0 if best_row(store.rows()) else 1
    for line in changes(before, study):
        console.print(f"changed: {line}", highlight=False, soft_wrap=True)
    if loop.cut_off:
        numbers = ", ".join(map(str, loop.cut_off))
        console.print(f"these stay as they are, as better ones have taken the place of their checkpoints: trials {numbers}")
    return _conduct(loop, data, is_new=False)


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


def _conduct(loop: StudyLoop, data: ProblemData, *, is_new: bool) -> int:
    """Runs the study and prints what it found; the exit code."""
    import shutil
    import sys
    from contextlib import suppress

    from rich.console import Console

    from cluster.finish import ScoreMismatch
    from cluster.placement import ClusterMismatch
    from cluster.study_runner import EvaluationFailed, run_study
    from cluster.watching import StudyWatch
    from tuner.results.summary import render, summarise

    console = Console(file=sys.stdout)  # this very stream: others print to it by name, and are kept from it
    store, folder = loop.store, loop.store.folder
    resume = f"python -m tuner.run --resume {folder}"
    try:
        with StudyWatch(console, loop.study) as watcher:
            outcome = run_study(loop, data, watcher)
    except ClusterMismatch as error:
        if is_new:
            shutil.rmtree(folder)  # no trial was proposed
        fail(str(error))
    except EvaluationFailed as error:
        fail(f"nothing was exported: {error}; try it again with: {resume}", code=1)
    except ScoreMismatch as error:
        fail(f"nothing was exported: {error}; please report this", code=1)
    except KeyboardInterrupt as interrupt:
        with suppress(OSError):  # the terminal may be the one that was closed
            console.print(render(summarise(store)))
            sys.stderr.write(f"Interrupted. What was reported is kept; go on with: {resume}\n")
        return getattr(interrupt, "exit_code", 130)
    finally:
        store.close()
    console.print(render(summarise(store)))
    if loop.halted:
        reason = loop.halted.strerror or str(loop.halted)
        fail(f"a study must be able to write to {folder}, it is not: {reason}; mend that, then go on with: {resume}", code=1)
    if loop.broken and loop.broken.traceback:
        fail(f"the code failed, and not the config; the study ended.\n{loop.broken.traceback}", code=1)
    if loop.broken:
        fail(f"trials fail one like the other, and the study ended: {loop.broken.reason}", code=1)
    return 0 if outcome.exported else 1


if __name__ == "__main__":
    app()
