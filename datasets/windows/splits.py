"""What is train, validation and test: only said here. Borders are data of the data set, a ``Split`` applies them.

Each series is cut by its own rows. Time never runs backwards within a series; across series that end at different times it may.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from datasets.config import Borders
from datasets.windows.prepared import Split


def holdout(borders: Sequence[Borders]) -> Split:
    """Train on the train rows, score the validation rows. One ``Borders`` for each series."""
    return _split("holdout", [(0, b.train_end, b.train_end, b.val_end) for b in borders])


def rolling_folds(borders: Sequence[Borders], n_folds: int) -> tuple[Split, ...]:
    """Rolling origin: each fold scores as many rows as the validation has, the last one the validation itself.

    The folds before it step back in time by that many rows; each trains on all rows before those that it scores. Rows are
    counted in each series from its own end: where series end at different times, what a fold trains of one series may lie later
    in the calendar than what it scores of another.

    Raises:
        ValueError: no train rows are left for the first fold of a series.
    """
    folds = []
    for k in range(n_folds):
        steps = n_folds - 1 - k
        ends = [(b.train_end - steps * (b.val_end - b.train_end), b.val_end - b.train_end) for b in borders]
        for border, (end, size) in zip(borders, ends, strict=True):
            if end < 1:
                raise ValueError(
                    f"--folds must leave rows to train on, got {n_folds} folds of {size} rows in a series with "
                    f"{border.train_end} train rows; use {(border.train_end - 1) // size + 1} or fewer"
                )
        folds.append(_split(f"fold_{k + 1}", [(0, end, end, end + size) for end, size in ends]))
    return tuple(folds)


def chained_stages(borders: Sequence[Borders], n_stages: int, horizon: int) -> tuple[Split, ...]:
    """Continual learning: the rows before the test in consecutive parts of one size, each with train rows and scored rows.

    The scored rows end a part, and are the share of it that the validation rows are of all rows before the test; at least a
    horizon.

    Raises:
        ValueError: no train rows are left in a stage of a series.
    """
    cuts = [_chain(border, n_stages, horizon) for border in borders]
    return tuple(_split(f"stage_{k + 1}", [cut[k] for cut in cuts]) for k in range(n_stages))


def _chain(border: Borders, n_stages: int, horizon: int) -> list[tuple[int, int, int, int]]:
    """(train start, train end, score start, score end) of each stage of one series."""
    rows = border.val_end
    edges = [k * rows // n_stages for k in range(n_stages + 1)]
    n_scored = max(rows // n_stages * (rows - border.train_end) // rows, horizon)
    if rows // n_stages <= n_scored:
        raise ValueError(
            f"--stages must leave rows to train on, got {n_stages} stages of {rows // n_stages} rows, of which {n_scored} are "
            f"scored; use {max(rows // (horizon + 1), 1)} or fewer"
        )
    return [(start, end - n_scored, end - n_scored, end) for start, end in pairwise(edges)]


def final_test(borders: Sequence[Borders]) -> Split:
    """Train on the same rows as ``holdout``, score the test rows. Opened once, by evaluation."""
    return _split("test", [(0, b.train_end, b.val_end, b.test_end) for b in borders])


def future(lengths: Sequence[int], horizon: int) -> Split:
    """One window a series, whose targets are the ``horizon`` rows after the last known one."""
    return _split("future", [(0, n, n, n + horizon) for n in lengths])


def _split(name: str, cuts: Sequence[tuple[int, int, int, int]]) -> Split:
    """From (train start, train end, score start, score end) of each series."""
    rows = np.array(cuts, dtype=np.int64)
    return Split(name=name, train=rows[:, :2], score=rows[:, 2:])
