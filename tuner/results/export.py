"""The best trial as a folder to take away. Standard library only."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from search_spaces.base import Config
from tuner.results import schema, text
from tuner.results.files import write_atomic, write_json
from tuner.results.store import RunStore

_README = """\
# {name}: the best {model}

{score}

`{weights}` is a safetensors file, sha256 `{sha256}`.{folds}

## Use it

From a checkout of the tuner, forecast what follows the last rows of a table:

    python -m tuner.predict {folder} --data my_table.csv --out forecast.csv

or load it in Python:

```python
import json
from pathlib import Path

from tuner.study.history import history, own_names
from tuner.training.forecasting import forecast_panel

best = Path("{folder}")
config, scaler, study = (json.loads((best / name).read_text()) for name in ("{config}", "{scaler}", "{study}"))
panel, _ = history(Path("my_table.csv"), fill_rule=None, study=study, config=config["config"])
forecast = forecast_panel(
    panel,
    model="{model}",
    config=config["config"],
    weights=(best / "{weights}").read_bytes(),
    scaler=scaler,
    own_names=own_names(study),
    horizon={horizon},{first_counted}{whole_numbers}
    n_paths={n_paths},
    seed=0,
)
print(forecast.mean.shape)  # (series, {n_steps} steps, channels), in the units of the table
```

## Files

- `{config}`: the config, its score, the hash of the weights
- `{weights}`: the weights at its best epoch, `model.*` and `head.*`
- `{scaler}`: level and spread of each column over the training rows, by series for what is forecast
- `{study}`: the study that found it
"""


_FOLDS = """
It was trained for the last fold, whose train rows are all before the validation. Those of all folds: {names}."""


def stage_file(stage: str) -> str:
    """The name of a stage's weights in ``best/``."""
    return schema.STAGE_WEIGHTS.format(stage=stage)


def export_best(
    store: RunStore,
    *,
    weights: bytes,
    stages: Mapping[str, bytes] = MappingProxyType({}),
    config: Config,
    scaler: Mapping[str, Any],
    study: Mapping[str, Any],
    score: Mapping[str, Any],
    first_counted: int = 0,
    whole_numbers: bool = False,
) -> Path:
    """Writes ``best/`` as a whole, in the place of an older one.

    Args:
        store: The run.
        weights: A safetensors file.
        stages: One more for each stage by its name, if there are folds.
        config: The config of the trial.
        scaler: Names of series and channels, and the scalers, as lists.
        study: What ``study.json`` holds.
        score: What it is worth, for people: values by name, or metrics by part.
        first_counted: Steps of the horizon before this one, from 0, do not count.
        whole_numbers: Whether forecasts are rounded to them.

    Returns:
        The folder.
    """
    folder = store.folder / schema.BEST
    new = Path(tempfile.mkdtemp(prefix=".best.", dir=store.folder))
    try:
        sha256 = hashlib.sha256(weights).hexdigest()
        model = study["space"]["model"]
        write_json(new / schema.CONFIG, {"model": model, "config": config, "score": score, "weights_sha256": sha256})
        write_json(new / schema.SCALER, scaler)
        write_json(new / schema.STUDY, study)
        for name, content in {schema.WEIGHTS: weights, **{stage_file(s): theirs for s, theirs in stages.items()}}.items():
            write_atomic(new / name, content)
        horizon = study["problem"]["horizon"]
        words = _README.format(
            name=study["name"],
            model=model,
            score="\n".join(f"- {name}: {_words(value)}" for name, value in score.items()),
            folder=folder,
            sha256=sha256,
            folds=_FOLDS.format(names=", ".join(f"`{stage_file(stage)}`" for stage in stages)) if stages else "",
            horizon=horizon,
            n_steps=horizon - first_counted,
            first_counted=f"\n    first_counted={first_counted},  # the steps before it did not count" if first_counted else "",
            whole_numbers="\n    whole_numbers=True," if whole_numbers else "",
            n_paths=study["problem"].get("n_paths", 1),
            config=schema.CONFIG,
            weights=schema.WEIGHTS,
            scaler=schema.SCALER,
            study=schema.STUDY,
        )
        (new / schema.README).write_text(words, encoding="utf-8")
        new.chmod(0o755)
        _swap(new, folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return folder


def _words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_words(inner)}" for name, inner in value.items())
    return text.number(value) if isinstance(value, float) else str(value)


def _swap(new: Path, folder: Path) -> None:
    """A folder with files in it cannot be replaced in one step, so the old one steps aside first."""
    old = folder.with_name(".best.old")
    shutil.rmtree(old, ignore_errors=True)  # a crash may have left it
    if folder.exists():
        os.rename(folder, old)
    os.rename(new, folder)
    shutil.rmtree(old, ignore_errors=True)
