"""Forecast the steps after the end of a file, in its own units, with an exported model."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tuner.console.errors import user_mistakes
from tuner.results.schema import checked

if TYPE_CHECKING:
    from datasets.base import FloatArray, Panel

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(epilog="Example: python -m tuner.predict runs/my-study/best --data new.csv --out forecast.csv")
def predict(
    best: Annotated[Path, typer.Argument(help="An exported model: runs/<study>/best.")],
    data: Annotated[Path, typer.Option("--data", help="The history, a .csv or .parquet file with the channels of the study.")],
    out: Annotated[Path, typer.Option("--out", help="The forecast, a .csv or .parquet file; must not exist.")],
    fill: Annotated[str | None, typer.Option("--fill", help="Missing values: forward, linear or zero.")] = None,
) -> None:
    """Forecast the steps after the end of a file, in its own units, with an exported model."""
    with user_mistakes():
        files = {name: _read(best, name) for name in ("config.json", "scaler.json", "study.json")}
        weights = _bytes(best, "weights.safetensors")
        if out.suffix not in (".csv", ".parquet"):
            raise ValueError(f"--out must end in .csv or .parquet, got {out}")
        if out.exists():
            raise ValueError(f"--out must not exist, {out} does; name another file")
        if not out.resolve().parent.is_dir():
            raise ValueError(f"--out must lie in a folder that exists, {out.resolve().parent} does not")
        from datasets.reading.table import read_table
        from tuner.study.schema import split_config

        study = files["study.json"]
        lookback = split_config(files["config.json"]["config"])[2].lookback
        panel = _matching(read_table(data, fill=fill), study["data"], data, lookback)
    values = _forecast(panel, weights, files)
    _write(out, panel, values)
    print(f"{len(values)} steps of {values.shape[1]} channels after {_last_time(panel)} are in {out}")


def _bytes(best: Path, name: str) -> bytes:
    try:
        return (best / name).read_bytes()
    except FileNotFoundError:
        raise LookupError(f"an exported model is a folder with {name}, {best} has none; name runs/<study>/best") from None


def _read(best: Path, name: str) -> dict[str, Any]:
    return checked(json.loads(_bytes(best, name)), str(best / name))


def _matching(panel: Panel, wanted: dict[str, Any], path: Path, lookback: int) -> Panel:
    """The panel with the study's channels in the study's order."""
    missing = [name for name in wanted["channels"] if name not in panel.channels]
    if missing:
        raise ValueError(f"--data must have every channel of the study, {path} lacks {', '.join(missing)}")
    if panel.frequency != wanted["frequency"]:
        raise ValueError(f"--data must have the study's frequency {wanted['frequency']}, {path} has {panel.frequency}")
    if len(panel.values) < lookback:
        raise ValueError(f"--data must have {lookback} rows for the model's lookback, {path} has {len(panel.values)}")
    order = [panel.channels.index(name) for name in wanted["channels"]]
    return replace(panel, values=panel.values[:, order], observed=panel.observed[:, order], channels=tuple(wanted["channels"]))


def _forecast(panel: Panel, weights: bytes, files: dict[str, dict[str, Any]]) -> FloatArray:
    """(H, C) in original units."""
    import numpy as np
    import torch

    from datasets.windows.loaders import WindowSource
    from datasets.windows.prepare import prepare_history
    from datasets.windows.prepared import Scaler
    from datasets.windows.scaling import inverse
    from datasets.windows.windowing import score_origins
    from tuner.training.evaluate import load_model

    study, config = files["study.json"], files["config.json"]["config"]
    scaler = Scaler(mean=np.array(files["scaler.json"]["mean"]), std=np.array(files["scaler.json"]["std"]))
    data = prepare_history(panel, scaler, study["problem"]["horizon"])
    model, head, _, data_config = load_model(study["space"]["model"], config, data, weights)
    source = WindowSource(data, lookback=data_config.lookback, horizon=data.horizon)
    origins = torch.from_numpy(score_origins(data.stages[0], data.offsets, data.horizon))
    with torch.inference_mode():
        forecast = model.predict(source.batch(origins).inputs, head, 1, None).mean[0]
    scaled = forecast.numpy().astype(np.float64)
    return inverse(scaled, scaler, np.array([0, len(scaled)]))


def _last_time(panel: Panel) -> str:
    import pandas as pd

    return str(pd.date_range(panel.start_times[0], periods=len(panel.values), freq=panel.frequency)[-1])


def _write(out: Path, panel: Panel, values: FloatArray) -> None:
    import pandas as pd

    times = pd.date_range(panel.start_times[0], periods=len(panel.values) + len(values), freq=panel.frequency)
    frame = pd.DataFrame(values, index=times[-len(values) :].rename("time"), columns=list(panel.channels)).reset_index()
    if out.suffix == ".csv":
        frame.to_csv(out, index=False)
    else:
        frame.to_parquet(out, index=False)


if __name__ == "__main__":
    app()
