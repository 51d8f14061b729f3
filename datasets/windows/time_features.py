"""Calendar features: what the clock says about a row, known for the future too.

Each lies in [-0.5, 0.5]. Which ones there are follows from the frequency, as in the time features of the Informer (Zhou et
al., AAAI 2021): a feature finer than a step, or constant over steps, tells nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from datasets.base import FloatArray, IntArray
from datasets.reading.frequency import Times, is_business, months_of, seconds_of, step_of, time_of, unit_of

_FEATURES: dict[str, tuple[Callable[[pd.DatetimeIndex], pd.Index], int, int]] = {  # name: reading, its least, its greatest
    "second": (lambda times: times.second, 0, 59),
    "minute": (lambda times: times.minute, 0, 59),
    "hour": (lambda times: times.hour, 0, 23),
    "weekday": (lambda times: times.dayofweek, 0, 6),
    "day_of_month": (lambda times: times.day, 1, 31),
    "day_of_year": (lambda times: times.dayofyear, 1, 366),
    "week_of_year": (lambda times: pd.Index(times.isocalendar()["week"].to_numpy()), 1, 53),
    "month": (lambda times: times.month, 1, 12),
}
_BY_UNIT: dict[str, tuple[str, ...]] = {
    "second": ("second", "minute", "hour", "weekday", "day_of_month", "day_of_year"),
    "minute": ("minute", "hour", "weekday", "day_of_month", "day_of_year"),
    "hour": ("hour", "weekday", "day_of_month", "day_of_year"),
    "day": ("weekday", "day_of_month", "day_of_year"),
    "week": ("day_of_month", "week_of_year"),
    "month": ("month",),
    "quarter": ("month",),
    "year": (),
}


def feature_names(frequency: str) -> tuple[str, ...]:
    """The names of the K features of a frequency."""
    return _BY_UNIT[unit_of(frequency)]


def calendar(start: np.datetime64, n_rows: int, frequency: str) -> FloatArray:
    """The features of ``n_rows`` rows from ``start`` on, as far beyond the data as is asked.

    Returns:
        (n_rows, K) float32, each in [-0.5, 0.5].
    """
    names = feature_names(frequency)
    features = np.empty((n_rows, len(names)), dtype=np.float32)
    if names:
        times = pd.DatetimeIndex(time_of(start, np.arange(n_rows), frequency))
        for column, (read, least, greatest) in zip(features.T, (_FEATURES[name] for name in names), strict=True):
            column[:] = np.asarray(read(times), dtype=np.float64) / (greatest - least) - (least / (greatest - least) + 0.5)
    return features


def places_in_time(starts: Times, frequency: str) -> tuple[IntArray, IntArray]:
    """How many whole steps each start lies after the first one, and what is left: 0 for those in step with it."""
    if is_business(frequency):
        days = starts.astype("datetime64[D]")
        return np.divmod(np.busday_count(days.min(), days), step_of(frequency)[0])
    months = months_of(frequency)
    clock, step = ("M", months) if months else ("s", seconds_of(frequency))
    since = starts.astype(f"datetime64[{clock}]").astype(np.int64)
    return np.divmod(since - since.min(), step)
