"""What is train, validation and test: only said here. Borders are data of the data set, a ``Stage`` applies them."""

from __future__ import annotations

import numpy as np

from datasets.config import Borders
from datasets.windows.prepared import Stage


def holdout(*borders: Borders) -> Stage:
    """Train on the train rows, score the validation rows. One ``Borders`` for each series."""
    return _stage("holdout", borders, [(b.train_end, b.val_end) for b in borders])


def test_stage(*borders: Borders) -> Stage:
    """Train on the same rows as ``holdout``, score the test rows. Opened once, by evaluation."""
    return _stage("test", borders, [(b.val_end, b.test_end) for b in borders])


test_stage.__test__ = False  # type: ignore[attr-defined]  # its name makes pytest take it for a test


def future_stage(lengths: list[int], horizon: int) -> Stage:
    """One window a series, whose targets are the ``horizon`` rows after the last known one."""
    return Stage(
        name="future",
        train=np.array([(0, n) for n in lengths], dtype=np.int64),
        score=np.array([(n, n + horizon) for n in lengths], dtype=np.int64),
    )


def _stage(name: str, borders: tuple[Borders, ...], score: list[tuple[int, int]]) -> Stage:
    train = np.array([(0, b.train_end) for b in borders], dtype=np.int64)
    return Stage(name=name, train=train, score=np.array(score, dtype=np.int64))
