"""The best trial as a folder to take away. Standard library only."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from search_spaces.base import Config
from tuner.results import schema, text
from tuner.results.files import write_json
from tuner.results.store import RunStore

_README = """\
# {name}: the best {model}

{score}

`{weights}` is a safetensors file, sha256 `{sha256}`.

## Use it

From a checkout of the tuner, forecast what follows the last rows of a table:

    python -m tuner.predict {folder} --data my_table.csv --out forecast.csv

or load it in Python:

```python
import json
from pathlib import Path

import numpy as np

from datasets.reading.table import read_table
from datasets.windows.prepare import prepare_history
from datasets.windows.prepared import Scaler
from tuner.training.evaluate import load_model

best = Path("{folder}")
config, scaler = (json.loads((best / name).read_text()) for name in ("{config}", "{scaler}"))
fitted = Scaler(mean=np.array(scaler["mean"]), std=np.array(scaler["std"]))
data = prepare_history(read_table(Path("my_table.csv")), fitted, {horizon})
model, head, *_ = load_model("{model}", config["config"], data, (best / "{weights}").read_bytes())
```

It forecasts {horizon} steps, in units scaled channel by channel: scaled = (original - mean) / std.

## Files

- `{config}`: the config, its score, the hash of the weights
- `{weights}`: the weights at its best epoch
- `{scaler}`: mean and standard deviation of each channel over the training rows
- `{study}`: the study that found it
"""


def export_best(
    store: RunStore,
    *,
    weights: bytes,
    config: Config,
    scaler: Mapping[str, Any],
    study: Mapping[str, Any],
    score: Mapping[str, Any],
) -> Path:
    """Writes ``best/`` as a whole, in the place of an older one.

    Args:
        store: The run.
        weights: A safetensors file.
        config: The config of the trial.
        scaler: Channels, mean and std, as lists.
        study: What ``study.json`` holds.
        score: What it is worth, for people: values by name, or metrics by part.

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
        (new / schema.WEIGHTS).write_bytes(weights)
        words = _README.format(
            name=study["name"],
            model=model,
            score="\n".join(f"- {name}: {_words(value)}" for name, value in score.items()),
            folder=folder,
            sha256=sha256,
            horizon=study["problem"]["horizon"],
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
    if folder.exists():
        os.rename(folder, old)
    os.rename(new, folder)
    shutil.rmtree(old, ignore_errors=True)
