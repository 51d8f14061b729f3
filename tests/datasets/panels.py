"""Panels that tests share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from datasets.base import Panel


def make_panel(
    lengths: Sequence[int] = (100,),
    n_channels: int = 2,
    *,
    missing: float = 0.0,
    seed: int = 0,
    n_covariates: int = 0,
    n_known: int = 0,
    n_static: int = 0,
    n_categories: int = 0,
    n_future: int = 0,
) -> Panel:
    """Hourly noise with its own level and width in every channel. All that is not a target is noise too.

    Args:
        lengths: Rows of history of each series.
        n_channels: Targets: a, b, c ...
        missing: The share of targets that are not observed; what stands there is noise as elsewhere.
        seed: Of the noise.
        n_covariates: Known up to the origin: p0, p1 ...
        n_known: Known ahead: k0, k1 ...
        n_static: Numbers of a series: n0, n1 ...
        n_categories: Categories of a series, each of the words u, v and w: g0, g1 ...
        n_future: Rows more at the end of each series, with NaN for targets and covariates.
    """
    generator, others = np.random.default_rng(seed), np.random.default_rng([seed, 1])
    counts = [length + n_future for length in lengths]
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    rows = sum(counts)
    values = generator.normal(3.0, 2.0, (rows, n_channels)) * np.arange(1, n_channels + 1)
    observed = generator.random((rows, n_channels)) >= missing
    covariates = others.normal(1.0, 3.0, (rows, n_covariates))
    future = np.arange(rows) >= np.repeat(offsets[:-1] + list(lengths), counts)
    values[future], observed[future], covariates[future] = np.nan, False, np.nan
    return Panel(
        values=values,
        observed=observed,
        offsets=offsets,
        start_times=np.array(["2024-01-01"] * len(lengths), dtype="datetime64[ns]"),
        frequency="h",
        series=tuple(f"s{i}" for i in range(len(lengths))),
        channels=tuple("abcdefgh"[:n_channels]),
        covariates=covariates,
        covariate_names=tuple(f"p{i}" for i in range(n_covariates)),
        known=others.normal(-2.0, 0.5, (rows, n_known)),
        known_names=tuple(f"k{i}" for i in range(n_known)),
        static=others.normal(0.0, 1.0, (len(lengths), n_static)),
        static_names=tuple(f"n{i}" for i in range(n_static)),
        static_categories=others.integers(0, 3, (len(lengths), n_categories)),
        category_names=tuple(f"g{i}" for i in range(n_categories)),
        categories=(("u", "v", "w"),) * n_categories,
    )
