"""``Panel`` to ``PreparedData``: cut, with its calendar and its stages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

import numpy as np
import pandas as pd

from datasets.base import FloatArray, IntArray, Panel
from datasets.reading.frequency import period_of
from datasets.windows.prepared import PreparedData, Scalers, Split, Stage
from datasets.windows.scaling import fit_scalers
from datasets.windows.splits import future
from datasets.windows.time_features import calendar
from datasets.windows.windowing import score_origins


def prepare(panel: Panel, splits: Sequence[Split], horizon: int) -> PreparedData:
    """The panel up to the last row that any of the splits scores, with statistics of the train rows of each.

    Args:
        panel: The whole panel, filled.
        splits: What trials see, or with the test split what evaluation sees.
        horizon: Steps of the future that are forecast.

    Raises:
        ValueError: a split goes past a series, or no window fits the rows that are scored.
    """
    ends = np.max([np.maximum(split.train[:, 1], split.score[:, 1]) for split in splits], axis=0)
    for name, n, end in zip(panel.series, panel.history, ends, strict=True):
        if end > n:
            raise ValueError(f"borders must lie inside the series, got row {end} of {name!r} with {n} rows; bring all of its rows")
    stages = tuple(
        Stage(name=split.name, train=split.train, score=split.score, scalers=fit_scalers(panel, split.train)) for split in splits
    )
    data = _assemble(panel, horizon, stages, ends, n_future=0)
    for stage in stages:
        score_origins(stage, data.offsets, horizon)
    return data


def prepare_history(panel: Panel, scalers: Scalers, horizon: int) -> PreparedData:
    """What prediction sees: every row of the history, and ``horizon`` rows more whose targets nobody has observed.

    Its one stage, ``future``, scores one window a series, with its origin at the last row with an observed target. The rows to
    come hold the calendar, and what the panel's rows after the history say is known ahead; their targets are 0.

    Args:
        panel: The whole history, and for covariates known ahead the horizon's rows.
        scalers: As fitted for training; that of the targets has the series of this panel, in its order.
        horizon: Steps to forecast.

    Raises:
        ValueError: a covariate that is known ahead ends before the horizon.
    """
    lengths = panel.history
    if panel.known_names:
        for name, have, n in zip(panel.series, panel.lengths, lengths, strict=True):
            if have < n + horizon:
                raise ValueError(
                    f"covariates known ahead ({', '.join(panel.known_names)}) must reach through the horizon, series {name!r} has "
                    f"{have - n} rows of {horizon} after its last target; add rows with empty targets"
                )
    split = future([int(n) for n in lengths], horizon)
    stage = Stage(name=split.name, train=split.train, score=split.score, scalers=scalers)
    return _assemble(panel, horizon, (stage,), lengths, n_future=horizon)


def _assemble(panel: Panel, horizon: int, stages: tuple[Stage, ...], ends: IntArray, n_future: int) -> PreparedData:
    def cut(array: np.ndarray) -> np.ndarray:
        if not n_future and (ends == panel.lengths).all():
            return array
        return np.concatenate(
            [np.pad(array[a : a + end], ((0, n_future), (0, 0))) for (a, _), end in zip(panel.spans, ends, strict=True)]
        )

    def cut_known(array: np.ndarray) -> np.ndarray:
        if not array.shape[1]:
            return np.zeros((int(rows.sum()), 0))
        return np.concatenate([array[a : a + end] for (a, _), end in zip(panel.spans, rows, strict=True)])

    rows = ends + n_future
    features, calendar_rows = _time_line(panel, rows)
    return PreparedData(
        values=cut(panel.values),
        observed=cut(panel.observed),
        covariates=cut(panel.covariates),
        known=cut_known(panel.known),
        static=panel.static,
        static_categories=panel.static_categories,
        cardinalities=tuple(len(words) for words in panel.categories),
        calendar=features,
        calendar_rows=calendar_rows,
        offsets=np.concatenate([[0], np.cumsum(rows)]).astype(np.int64),
        horizon=horizon,
        frequency=panel.frequency,
        period=period_of(panel.frequency),
        stages=stages,
        channels=panel.channels,
        series=panel.series,
        sha256=hash_panel(panel),
    )


def _time_line(panel: Panel, rows: IntArray) -> tuple[FloatArray, IntArray]:
    """One calendar for all series, and where each begins in it. Series out of step with each other get a calendar each."""
    first = panel.start_times.min()
    if (panel.start_times == first).all():
        return calendar(first, int(rows.max()), panel.frequency), np.zeros(len(rows), dtype=np.int64)
    line = pd.date_range(pd.Timestamp(first), pd.Timestamp(panel.start_times.max()), freq=panel.frequency).to_numpy()
    places = np.searchsorted(line, panel.start_times).astype(np.int64)
    if (places < len(line)).all() and (line[places] == panel.start_times).all():
        return calendar(first, int((places + rows).max()), panel.frequency), places
    features = [calendar(start, int(n), panel.frequency) for start, n in zip(panel.start_times, rows, strict=True)]
    return np.concatenate(features), np.concatenate([[0], np.cumsum(rows)[:-1]]).astype(np.int64)


def hash_panel(panel: Panel) -> str:
    """The sha256 of values, masks, times and names; the same on every platform."""
    labels = [list(panel.values.shape), panel.frequency, list(panel.series), list(panel.channels)]
    labels += [list(panel.covariate_names), list(panel.known_names), list(panel.static_names), list(panel.category_names)]
    labels += [[list(words) for words in panel.categories]]
    digest = hashlib.sha256(json.dumps(labels).encode())
    for numbers in (panel.values, panel.covariates, panel.known, panel.static):
        digest.update((numbers.astype("<f8") + 0.0).tobytes())  # + 0.0: -0 and 0 are one value
    digest.update(panel.observed.astype("u1").tobytes())
    digest.update(panel.static_categories.astype("<i8").tobytes())
    digest.update(panel.offsets.astype("<i8").tobytes())
    digest.update(panel.start_times.astype("datetime64[ns]").astype("<i8").tobytes())
    return digest.hexdigest()
