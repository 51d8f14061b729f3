"""Panels from arrays, prepared with a validation and a test stage."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from datasets.base import BoolArray, FloatArray, IntArray, Panel
from datasets.config import Borders
from datasets.windows.prepare import prepare
from datasets.windows.prepared import PreparedData
from datasets.windows.splits import final_test, holdout


def floor_data(
    tables: Sequence[FloatArray],
    borders: Sequence[tuple[int, int, int]],
    horizon: int,
    frequency: str = "h",
    observed: BoolArray | None = None,
) -> PreparedData:
    """One series for each (rows, C) table, cut at (train end, validation end, test end)."""
    values = np.concatenate(tables)
    panel = Panel(
        values=values,
        observed=np.ones(values.shape, dtype=bool) if observed is None else observed,
        offsets=np.concatenate([[0], np.cumsum([len(table) for table in tables])]).astype(np.int64),
        start_times=np.array(["2024-01-01"] * len(tables), dtype="datetime64[ns]"),
        frequency=frequency,
        series=tuple(f"series_{i}" for i in range(len(tables))),
        channels=tuple(f"channel_{i}" for i in range(values.shape[1])),
    )
    cuts = [Borders(train_end=train, val_end=val, test_end=test) for train, val, test in borders]
    return prepare(panel, [holdout(cuts), final_test(cuts)], horizon)


def futures(data: PreparedData, origins: IntArray) -> FloatArray:
    """(n, H, C): what came after each origin, original units."""
    after: FloatArray = data.values[origins[:, None] + np.arange(1, data.horizon + 1)]
    return after
