"""Panels that tests share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from datasets.base import Panel


def make_panel(lengths: Sequence[int] = (100,), n_channels: int = 2, *, missing: float = 0.0, seed: int = 0) -> Panel:
    """Hourly noise with its own level and width in every channel."""
    generator = np.random.default_rng(seed)
    rows = sum(lengths)
    return Panel(
        values=generator.normal(3.0, 2.0, (rows, n_channels)) * np.arange(1, n_channels + 1),
        observed=generator.random((rows, n_channels)) >= missing,
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        start_times=np.array(["2024-01-01"] * len(lengths), dtype="datetime64[ns]"),
        frequency="h",
        series=tuple(f"s{i}" for i in range(len(lengths))),
        channels=tuple("abcdefgh"[:n_channels]),
    )
