"""``Panel`` to ``PreparedData``: cut, with its calendar and its stages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence

import numpy as np

from datasets.base import FloatArray, IntArray, Panel
from datasets.reading.frequency import period_of
from datasets.windows.prepared import PreparedData, Scalers, Split, Stage
from datasets.windows.scaling import fit_scalers
from datasets.windows.splits import future
from datasets.windows.time_features import calendar, places_in_time
from datasets.windows.windowing import score_origins

_HASHED_ROWS = 1 << 14


def prepare(
    panel: Panel,
    splits: Sequence[Split],
    horizon: int,
    *,
    chained: bool = False,
    first_counted: int = 0,
    whole_numbers: bool = False,
) -> PreparedData:
    """The panel up to the last row that any of the splits scores, with statistics of the train rows of each.

    Args:
        panel: The whole panel, filled.
        splits: What trials see, or with the test split what evaluation sees.
        horizon: Steps of the future that are forecast.
        chained: Whether one network learns the stages in turn: then the statistics are those of the first for all.
        first_counted: Steps of the horizon before this one, from 0, are to count neither in losses nor in scores.
        whole_numbers: Whether forecasts are to be rounded to whole numbers before they are scored.

    Raises:
        ValueError: a split goes past a series, or no window fits the rows that are scored.
    """
    ends = np.max([np.maximum(split.train[:, 1], split.score[:, 1]) for split in splits], axis=0)
    if (past := np.flatnonzero(ends > panel.history)).size:
        name, end, n = panel.series[past[0]], ends[past[0]], panel.history[past[0]]
        raise ValueError(f"borders must lie inside the series, got row {end} of {name!r} with {n} rows; bring all of its rows")
    stages = tuple(
        Stage(name=split.name, train=split.train, score=split.score, scalers=scalers)
        for split, scalers in zip(splits, _scalers(panel, splits, chained), strict=True)
    )
    data = _assemble(
        panel,
        horizon,
        stages,
        ends,
        n_future=0,
        chained=chained,
        first_counted=first_counted,
        whole_numbers=whole_numbers,
    )
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
    rest = panel.lengths - lengths
    if panel.known_names and rest.min() < horizon:
        worst = int(rest.argmin())
        raise ValueError(
            f"covariates known ahead ({', '.join(panel.known_names)}) must reach through the horizon, series "
            f"{panel.series[worst]!r} has {rest[worst]} rows of {horizon} after its last target; add rows with empty targets"
        )
    split = future(lengths.tolist(), horizon)
    stage = Stage(name=split.name, train=split.train, score=split.score, scalers=scalers)
    return _assemble(panel, horizon, (stage,), lengths, n_future=horizon)


def _scalers(panel: Panel, splits: Sequence[Split], chained: bool) -> list[Scalers]:
    if chained:
        return [fit_scalers(panel, splits[0].train)] * len(splits)
    return [fit_scalers(panel, split.train) for split in splits]


def _assemble(
    panel: Panel,
    horizon: int,
    stages: tuple[Stage, ...],
    ends: IntArray,
    *,
    n_future: int,
    chained: bool = False,
    first_counted: int = 0,
    whole_numbers: bool = False,
) -> PreparedData:
    rows = ends + n_future

    def cut(array: np.ndarray, ends: IntArray, n_blank: int) -> np.ndarray:
        if not n_blank and np.array_equal(ends, panel.lengths):
            return array
        blank = np.zeros((n_blank, array.shape[1]), dtype=array.dtype)
        starts = panel.offsets[:-1].tolist()
        return np.concatenate([part for a, n in zip(starts, ends.tolist(), strict=True) for part in (array[a : a + n], blank)])

    features, calendar_rows = _time_line(panel, rows)
    return PreparedData(
        values=cut(panel.values, ends, n_future),
        observed=cut(panel.observed, ends, n_future),
        covariates=cut(panel.covariates, ends, n_future),
        known=cut(panel.known, rows, 0) if panel.known_names else cut(panel.known, ends, n_future),
        static=panel.static,
        static_categories=panel.static_categories,
        cardinalities=tuple(len(words) for words in panel.categories),
        calendar=features,
        calendar_rows=calendar_rows,
        offsets=np.concatenate([[0], np.cumsum(rows)]).astype(np.int64),
        start_times=panel.start_times,
        horizon=horizon,
        first_counted=first_counted,
        whole_numbers=whole_numbers,
        frequency=panel.frequency,
        period=period_of(panel.frequency),
        stages=stages,
        chained=chained,
        channels=panel.channels,
        series=panel.series,
        sha256=hash_panel(panel),
    )


def _time_line(panel: Panel, rows: IntArray) -> tuple[FloatArray, IntArray]:
    """A calendar that series share where they overlap in time, in step with each other; and where each begins in it."""
    place, phase = places_in_time(panel.start_times, panel.frequency)
    place = place + phase * (int((place + rows).max()) + 1)  # each phase in a stretch of its own
    order = np.argsort(place, kind="stable")
    start, end = place[order], np.maximum.accumulate((place + rows)[order])
    leads = np.append(True, start[1:] > end[:-1])  # the first series of each line
    lengths = end[np.append(leads[1:], True)] - start[leads]
    first_rows = np.cumsum(lengths) - lengths
    calendar_rows = np.empty_like(place)
    calendar_rows[order] = start + (first_rows - start[leads])[np.cumsum(leads) - 1]
    lines = zip(panel.start_times[order[leads]], lengths.tolist(), strict=True)
    return np.concatenate([calendar(time, n, panel.frequency) for time, n in lines]), calendar_rows


def hash_panel(panel: Panel) -> str:
    """The sha256 of values, masks, times and names; the same on every platform."""
    labels = [list(panel.values.shape), panel.frequency, list(panel.series), list(panel.channels)]
    labels += [list(panel.covariate_names), list(panel.known_names), list(panel.static_names), list(panel.category_names)]
    labels += [[list(words) for words in panel.categories]]
    digest = hashlib.sha256(json.dumps(labels).encode())
    for numbers in (panel.values, panel.covariates, panel.known, panel.static):
        for some in _pieces(numbers):
            digest.update((some.astype("<f8") + 0.0).tobytes())  # + 0.0: -0 and 0 are one value
    for some in _pieces(panel.observed):
        digest.update(some.astype("u1").tobytes())
    for whole in (panel.static_categories, panel.offsets, panel.start_times.astype("datetime64[ns]")):
        digest.update(whole.astype("<i8").tobytes())
    return digest.hexdigest()


def _pieces(array: np.ndarray) -> Iterator[np.ndarray]:
    """A view of some thousand rows after the other, so that no whole copy is made."""
    for start in range(0, len(array), _HASHED_ROWS):
        yield array[start : start + _HASHED_ROWS]
