"""Generated: four hourly channels with daily and weekly seasons, a trend, and noise. For a quick start, and for tests."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from datasets.base import Dataset, Panel
from datasets.config import Columns
from datasets.reading.assign import Source, assign

N_ROWS, N_CHANNELS, SEED = 2000, 4, 20130101


def _read(data_dir: Path | None, columns: Columns) -> Panel:
    generator = np.random.Generator(np.random.Philox(SEED))
    hours = np.arange(N_ROWS)[:, None]
    phase = 2 * np.pi * generator.random((2, N_CHANNELS))
    height = 1 + generator.random((2, N_CHANNELS))
    day = height[0] * np.sin(2 * np.pi * hours / 24 + phase[0])
    week = height[1] * np.sin(2 * np.pi * hours / 168 + phase[1])
    noise = 0.5 * generator.standard_normal((N_ROWS, N_CHANNELS))
    # Rounded, so that the last bit of a platform's sine is not part of the data.
    values = np.round(10 + day + week + hours / N_ROWS + noise, 4)
    source = Source(
        where="synthetic",
        rows=pd.DataFrame(values, columns=list("abcd")),
        offsets=np.array([0, N_ROWS], dtype=np.int64),
        start_times=np.array(["2024-01-01"], dtype="datetime64[ns]"),
        frequency="h",
        series=("synthetic",),
    )
    return assign(source, columns)


DATASET = Dataset(
    name="synthetic",
    summary="Generated daily and weekly seasons with noise, 2,000 hours x 4",
    read=_read,
    licence="CC0 1.0",
)
