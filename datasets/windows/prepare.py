"""``Panel`` to ``PreparedData``: cut, scaled, with its calendar and its stages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

import numpy as np

from datasets.base import Panel
from datasets.config import Borders
from datasets.reading.frequency import period_of
from datasets.windows.prepared import PreparedData, Scaler, Stage
from datasets.windows.scaling import fit_scaler, transform
from datasets.windows.splits import future_stage, holdout, test_stage
from datasets.windows.time_features import calendar
from datasets.windows.windowing import score_origins


def prepare(panel: Panel, borders: Borders | Callable[[int], Borders], horizon: int, *, test: bool) -> PreparedData:
    """What trials see, or with ``test`` what evaluation sees.

    Args:
        panel: The whole panel.
        borders: Where each series is cut, or rows of a series to its borders.
        horizon: Steps of the future that are forecast.
        test: False: the arrays end with the last validation row, and there is one stage. True: they end with the last test
            row, and a test stage follows. The scaler is the same, for it knows the train rows only.

    Raises:
        ValueError: the borders go past a series, or no window fits the rows that are scored.
    """
    cuts = [borders(int(n)) if callable(borders) else borders for n in panel.lengths]
    for name, n, cut in zip(panel.series, panel.lengths, cuts, strict=True):
        if cut.test_end > n:
            raise ValueError(f"borders must lie inside the series, got {cut} for {name!r} with {n} rows; bring all of its rows")
    stages = (holdout(*cuts), test_stage(*cuts)) if test else (holdout(*cuts),)
    ends = [cut.test_end if test else cut.val_end for cut in cuts]
    data = _assemble(panel, fit_scaler(panel, stages[0]), horizon, stages, ends, n_future=0)
    for stage in stages:
        score_origins(stage, data.offsets, horizon)
    return data


def prepare_history(panel: Panel, scaler: Scaler, horizon: int) -> PreparedData:
    """What prediction sees: every row, scaled as the weights know it, and ``horizon`` rows more that nobody has observed.

    Its one stage, ``future``, scores one window a series, with its origin at the last known row. The rows to come hold the
    calendar; their targets are 0 and not observed.

    Args:
        panel: The whole history.
        scaler: The one that was fitted for training.
        horizon: Steps to forecast.
    """
    lengths = [int(n) for n in panel.lengths]
    return _assemble(panel, scaler, horizon, (future_stage(lengths, horizon),), lengths, n_future=horizon)


def _assemble(
    panel: Panel, scaler: Scaler, horizon: int, stages: tuple[Stage, ...], ends: list[int], n_future: int
) -> PreparedData:
    scaled = transform(panel.values, scaler, panel.offsets)

    def cut(array: np.ndarray) -> np.ndarray:
        parts = [array[start : start + end] for start, end in zip(panel.offsets, ends, strict=False)]
        return np.concatenate([np.pad(part, ((0, n_future), (0, 0))) for part in parts])

    rows = [end + n_future for end in ends]
    known = [calendar(start, n, panel.frequency) for start, n in zip(panel.start_times, rows, strict=True)]
    return PreparedData(
        values=cut(scaled).astype(np.float32),
        observed=cut(panel.observed),
        known=np.concatenate(known),
        offsets=np.concatenate([[0], np.cumsum(rows)]).astype(np.int64),
        scaler=scaler,
        horizon=horizon,
        period=period_of(panel.frequency),
        stages=stages,
        channels=panel.channels,
        series=panel.series,
        sha256=hash_panel(panel),
    )


def hash_panel(panel: Panel) -> str:
    """The sha256 of values, mask, times and names; the same on every platform."""
    labels = [list(panel.values.shape), panel.frequency, list(panel.series), list(panel.channels)]
    digest = hashlib.sha256(json.dumps(labels).encode())
    digest.update((panel.values.astype("<f8") + 0.0).tobytes())  # + 0.0: -0 and 0 are one value
    digest.update(panel.observed.astype("u1").tobytes())
    digest.update(panel.offsets.astype("<i8").tobytes())
    digest.update(panel.start_times.astype("datetime64[ns]").astype("<i8").tobytes())
    return digest.hexdigest()
