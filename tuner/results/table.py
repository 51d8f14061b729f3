"""The table of a run: one trial a row. Standard library only."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from tuner.results import schema
from tuner.results.files import write_atomic
from tuner.results.schema import Row
from tuner.results.store import RunStore


def trials_csv(rows: Sequence[Row]) -> str:
    """number, state, epochs, the best value, the metrics of its epoch, duration_s, note, then every key of any config.

    A key that a config does not have is empty; a value None is ``none``.
    """
    metrics, keys = _union(row.metrics for row in rows), _union(row.config for row in rows)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["number", "state", "epochs", "value", *metrics, "duration_s", "note", *keys])
    for row in rows:
        duration = None if row.duration_s is None else round(row.duration_s, 3)
        config = {key: "none" if value is None else value for key, value in row.config.items()}
        scores = [row.value, *map(row.metrics.get, metrics)]
        writer.writerow([row.number, row.state, row.epochs, *scores, duration, row.note, *map(config.get, keys)])
    return text.getvalue()


def write_table(store: RunStore) -> Path:
    """Writes trials.csv into the run's folder."""
    path = store.folder / schema.TABLE
    write_atomic(path, trials_csv(store.rows()).encode())
    return path


def _union(parts: Iterable[Iterable[str]]) -> list[str]:
    return list(dict.fromkeys(key for part in parts for key in part))
