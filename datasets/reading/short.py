"""Series too short for the longest window: decided once for a study, so that what is scored never moves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from datasets.base import Panel
from datasets.config import SHORT_SERIES


def short_series(panel: Panel, n_rows: int, rule: str | None, where: str) -> Panel:
    """The panel with ``n_rows`` rows of history at least in each series.

    Args:
        panel: Filled.
        n_rows: Rows up to the last observed target that every series needs.
        rule: drop: shorter series are left out. pad: rows come in front of them, like their first row but not observed. None:
            a shorter series is an error.
        where: The file or the name of the set, for errors.

    Raises:
        ValueError: a series is shorter and ``rule`` is None; none is left; or one to be padded has no observed target.
    """
    if rule is not None and rule not in SHORT_SERIES:
        raise ValueError(f"short series must be one of {', '.join(SHORT_SERIES)}, got {rule!r}")
    lacks = np.maximum(n_rows - panel.history, 0)
    if not lacks.any():
        return panel
    shortest = int(np.argmax(lacks))
    found = (
        f"got {int((lacks > 0).sum())} of {len(lacks)} shorter, the shortest is {panel.series[shortest]!r} with "
        f"{n_rows - int(lacks[shortest])} rows"
    )
    if rule is None:
        raise ValueError(
            f"{where}: every series needs {n_rows} rows up to its last target, {found}; use --short-series drop or pad, or a "
            "shorter lookback"
        )
    if rule == "drop" and lacks.all():
        raise ValueError(f"{where}: a series must be left that has {n_rows} rows, {found}; use a shorter lookback")
    if rule == "pad" and lacks[shortest] == n_rows:
        raise ValueError(
            f"{where}: a series needs an observed target to be padded, got none in {panel.series[shortest]!r}; "
            "remove it or use --short-series drop"
        )
    kept = np.flatnonzero(lacks == 0) if rule == "drop" else np.arange(len(lacks))
    lacks = lacks[kept]
    starts, ends = panel.offsets[kept], panel.offsets[kept + 1]
    wanted = np.concatenate([np.arange(a - n, b) for a, b, n in zip(starts, ends, lacks, strict=True)])
    offsets = np.concatenate([[0], np.cumsum(ends - starts + lacks)]).astype(np.int64)
    firsts = np.repeat(starts, np.diff(offsets))
    rows = np.maximum(wanted, firsts)
    times = zip(panel.start_times[kept], lacks, strict=True)
    return replace(
        panel,
        values=panel.values[rows],
        observed=panel.observed[rows] & (wanted >= firsts)[:, None],
        offsets=offsets,
        start_times=np.array([_earlier(time, int(n), panel.frequency) for time, n in times], dtype="datetime64[ns]"),
        series=tuple(panel.series[i] for i in kept),
        covariates=panel.covariates[rows],
        known=panel.known[rows],
        static=panel.static[kept],
        static_categories=panel.static_categories[kept],
    )


def _earlier(time: np.datetime64, n_steps: int, frequency: str) -> np.datetime64:
    if not n_steps:
        return time
    return pd.date_range(end=pd.Timestamp(time), periods=n_steps + 1, freq=frequency)[0].to_datetime64()
