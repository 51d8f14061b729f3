"""ETTh1 as ``PreparedData``, with the borders that papers use."""

from __future__ import annotations

import functools

from datasets.config import Borders
from datasets.reading.table import read_table
from datasets.windows.prepare import prepare
from datasets.windows.prepared import PreparedData
from datasets.windows.splits import final_test, holdout
from tests.datasets.etth1 import etth1_folder

BORDERS = Borders(train_end=8640, val_end=11520, test_end=14400)


@functools.cache
def etth1(horizon: int) -> PreparedData:
    """In original units; its stages are the validation and the test. Skips the test if the file is not at hand."""
    panel = read_table(etth1_folder() / "ETTh1.csv")
    return prepare(panel, [holdout([BORDERS]), final_test([BORDERS])], horizon)
