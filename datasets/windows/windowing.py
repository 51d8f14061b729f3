"""Where windows start. An origin is the flat row of a window's last past step; windows are indexed, never materialised.

What is scored depends on the stage and the horizon alone: a lookback only reaches back from an origin, it never moves one.
"""

from __future__ import annotations

import numpy as np

from datasets.base import IntArray
from datasets.windows.prepared import Stage


def train_origins(stage: Stage, offsets: IntArray, lookback: int, horizon: int) -> IntArray:
    """The origin of every window whose past and targets lie inside the train rows.

    Args:
        stage: The plan's stage.
        offsets: (n_series + 1,), of the arrays that the origins will index.
        lookback: Steps of the past.
        horizon: Steps of the future.

    Returns:
        (n,) flat rows, rising.

    Raises:
        ValueError: no series has enough train rows for one window.
    """
    start, end = stage.train.T
    origins = _ranges(offsets[:-1] + start + lookback - 1, end - start - lookback - horizon + 1)
    if not len(origins):
        raise ValueError(
            f"lookback + horizon must not exceed the train rows, got lookback={lookback} + horizon={horizon} with "
            f"{(end - start).max()} train rows (stage {stage.name}); shorten one of them or bring more data"
        )
    return origins


def score_origins(stage: Stage, offsets: IntArray, horizon: int) -> IntArray:
    """The origin of every window whose targets all lie inside the score rows: rows - horizon + 1 for each series.

    Args:
        stage: The plan's stage.
        offsets: (n_series + 1,), of the arrays that the origins will index.
        horizon: Steps of the future.

    Returns:
        (n,) flat rows, rising; the first is the row before the first score row.

    Raises:
        ValueError: no series has enough score rows for one window.
    """
    start, end = stage.score.T
    origins = _ranges(offsets[:-1] + start - 1, end - start - horizon + 1)
    if not len(origins):
        raise ValueError(
            f"horizon must not exceed the rows that are scored, got horizon={horizon} with {(end - start).max()} rows "
            f"(stage {stage.name}); shorten the horizon or bring more data"
        )
    return origins


def series_of(origins: IntArray, offsets: IntArray) -> IntArray:
    """(n,): the index of the series that holds each flat row."""
    return np.searchsorted(offsets, origins, side="right").astype(np.int64) - 1


def check_windows(origins: IntArray, offsets: IntArray, lookback: int, horizon: int) -> None:
    """Makes sure that every window lies inside one series.

    Raises:
        ValueError: a past reaches back before its series, or a future past its end.
    """
    series = series_of(origins, offsets)
    history = int((origins - offsets[series]).min()) + 1
    if lookback > history:
        raise ValueError(
            f"lookback must not reach back before the series, got lookback={lookback} at an origin with "
            f"{history} rows of history; use {history} or less"
        )
    future = int((offsets[series + 1] - origins).min()) - 1
    if horizon > future:
        raise ValueError(
            f"horizon must not reach past the end of the series, got horizon={horizon} at an origin with "
            f"{future} rows after it; use {future} or less"
        )


def _ranges(first: IntArray, count: IntArray) -> IntArray:
    """``first[i], first[i] + 1, ...``, ``count[i]`` of them, for each i in turn."""
    count = np.maximum(count, 0)
    ends = np.cumsum(count)
    return np.repeat(first - ends + count, count) + np.arange(ends[-1], dtype=np.int64)
