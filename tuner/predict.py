"""Forecast the steps after the end of a file, in its own units, with an exported model."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tuner.console.errors import user_mistakes
from tuner.study.history import history, own_names
from tuner.study.study import Problem

if TYPE_CHECKING:
    import pandas as pd

    from datasets.base import Panel
    from tuner.training.forecasting import PanelForecast

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(epilog="Example: python -m tuner.predict runs/my-study/best --data new.csv --out forecast.csv")
def predict(
    best: Annotated[Path, typer.Argument(help="An exported model: runs/<study>/best.")],
    data: Annotated[
        Path, typer.Option("--data", help="The history: a .csv, .parquet or .tsf file with the columns of the study.")
    ],
    out: Annotated[Path, typer.Option("--out", help="The forecast, a .csv or .parquet file; must not exist.")],
    explain: Annotated[
        Path | None,
        typer.Option("--explain", help="How the model weighs variables and steps, a .csv or .parquet file; must not exist."),
    ] = None,
    fill: Annotated[str | None, typer.Option("--fill", help="Missing values: forward, seasonal or zero.")] = None,
    paths: Annotated[int, typer.Option("--paths", help="Paths behind the quantiles of a probabilistic model.")] = 200,
    seed: Annotated[int, typer.Option("--seed", help="Of the paths.")] = 0,
) -> None:
    """Forecast the steps after the end of a file, in its own units, with an exported model."""
    with user_mistakes():
        config, scaler, study, weights = _exported(best)
        _check_out(out, "--out")
        if explain is not None:
            _check_out(explain, "--explain")
            if explain.resolve() == out.resolve():
                raise ValueError(f"--explain must be another file than --out, got {explain} for both")
        if paths < 1:
            raise ValueError(f"--paths must be 1 or more, got {paths}")
        problem = Problem.from_json(study["problem"])
        panel, left_out = history(data, fill, study, config["config"])
        if left_out:
            more = f" and {len(left_out) - 5} more" if len(left_out) > 5 else ""
            sys.stderr.write(
                f"{len(left_out)} of {len(left_out) + len(panel.series)} series are too short for the model and left out, as "
                f"in the study (--short-series drop): {', '.join(left_out[:5])}{more}\n"
            )

    from tuner.training.forecasting import forecast_panel

    with user_mistakes():
        forecast = forecast_panel(
            panel,
            model=study["space"]["model"],
            config=config["config"],
            weights=weights,
            scaler=scaler,
            own_names=own_names(study),
            horizon=problem.horizon,
            first_counted=problem.first_counted,
            whole_numbers=problem.whole_numbers,
            n_paths=paths,
            seed=seed,
            explain=explain is not None,
        )
    table = (_long if own_names(study) or forecast.quantiles is not None else _wide)(panel, forecast, problem.first_counted)
    with user_mistakes():
        _write(table, out)
        if explain is not None:
            _write(_weights(forecast), explain)
    n_series, n_steps, n_channels = forecast.mean.shape
    of = f" of {n_series} series" if n_series > 1 else ""
    steps = f"step {problem.horizon} (the last alone)" if problem.last_step_only else f"{n_steps} steps"
    print(
        f"{steps} of {n_channels} channels{of} after {_last_time(panel)} {'is' if problem.last_step_only else 'are'} in {out}"
    )
    if explain is not None:
        print(f"how the model weighed variables and steps{', as the mean over the series' if n_series > 1 else ''}: {explain}")


def _exported(best: Path) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any], bytes]:
    """config.json, scaler.json, study.json and the weights."""
    from tuner.results import schema
    from tuner.results.files import read_json

    for name in (schema.CONFIG, schema.SCALER, schema.STUDY, schema.WEIGHTS):
        if not (best / name).is_file():
            raise LookupError(f"an exported model is a folder with {name}, {best} has none; name runs/<study>/best")
    config, scaler, study = (read_json(best / name) for name in (schema.CONFIG, schema.SCALER, schema.STUDY))
    return config, scaler, study, (best / schema.WEIGHTS).read_bytes()


def _check_out(out: Path, option: str) -> None:
    if out.suffix not in (".csv", ".parquet"):
        raise ValueError(f"{option} must end in .csv or .parquet, got {out}")
    if out.exists():
        raise ValueError(f"{option} must not exist, {out} does; name another file")
    folder = out.resolve().parent
    if not folder.is_dir():
        raise ValueError(f"{option} must lie in a folder that exists, {folder} does not")
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"{option} must lie in a folder that can be written, {folder} cannot; name another")


def _write(table: pd.DataFrame, out: Path) -> None:
    if out.suffix == ".csv":
        table.to_csv(out, index=False)
    else:
        table.to_parquet(out, index=False)


def _times(panel: Panel, n_steps: int, first: int) -> list[pd.DatetimeIndex]:
    """The times of steps of the horizon of each series, of which ``first`` is the first, from 0."""
    import numpy as np
    import pandas as pd

    from datasets.reading.frequency import time_of

    spans = zip(panel.start_times, panel.history, strict=True)
    return [pd.DatetimeIndex(time_of(start, np.arange(n + first, n + first + n_steps), panel.frequency)) for start, n in spans]


def _last_time(panel: Panel) -> str:
    """Of any series' history."""
    from datasets.reading.frequency import time_of

    return str(time_of(panel.start_times, panel.history - 1, panel.frequency).max().item())


def _wide(panel: Panel, forecast: PanelForecast, first: int) -> pd.DataFrame:
    """time, then a column for each channel."""
    import pandas as pd

    (times,) = _times(panel, forecast.mean.shape[1], first)
    return pd.DataFrame(forecast.mean[0], index=times.rename("time"), columns=list(panel.channels)).reset_index()


def _long(panel: Panel, forecast: PanelForecast, first: int) -> pd.DataFrame:
    """series, time, channel, mean, and a column for each quantile."""
    import numpy as np
    import pandas as pd

    from tuner.training.forecasting import QUANTILES

    n_series, n_steps, n_channels = forecast.mean.shape
    table = pd.DataFrame(
        {
            "series": np.repeat(np.array(panel.series, dtype=object), n_steps * n_channels),
            "time": np.repeat(np.concatenate([times.to_numpy() for times in _times(panel, n_steps, first)]), n_channels),
            "channel": np.tile(np.array(panel.channels, dtype=object), n_series * n_steps),
            "mean": forecast.mean.reshape(-1),
        }
    )
    if forecast.quantiles is not None:
        for place, level in enumerate(QUANTILES):
            table[f"quantile_{level:g}"] = forecast.quantiles[..., place].reshape(-1)
    return table


def _weights(forecast: PanelForecast) -> pd.DataFrame:
    """kind, variable, step, horizon_step, weight."""
    import pandas as pd

    from tuner.training.explaining import Weight

    table = pd.DataFrame(forecast.weights, columns=list(Weight._fields))
    return table.astype({"step": "Int64", "horizon_step": "Int64"})


if __name__ == "__main__":
    app()
