"""ETTh1: seven hourly measurements of an electricity transformer in China, 2016-07 to 2018-06.

Zhou et al., "Informer: Beyond Efficient Transformer for Long Sequence Time-Series Forecasting", AAAI 2021. The licence, CC
BY-ND 4.0, lets anyone use the file and share it unchanged; it is not shipped here but looked for, else downloaded, and checked.
The borders are the field's: 12, 4 and 4 months of 30 days; the rows after them are never used.
"""

from __future__ import annotations

from pathlib import Path

from datasets.base import Dataset, Panel
from datasets.config import Borders, Columns
from datasets.reading.sources import find_file
from datasets.reading.table import read_table

SHA256 = "f18de3ad269cef59bb07b5438d79bb3042d3be49bdeecf01c1cd6d29695ee066"
URL = "https://raw.githubusercontent.com/zhouhaoyi/ETDataset/main/ETT-small/ETTh1.csv"


def _read(data_dir: Path | None, columns: Columns) -> Panel:
    return read_table(find_file("ETTh1.csv", sha256=SHA256, url=URL, data_dir=data_dir), columns)


def _borders(n_rows: int, horizon: int) -> Borders:
    return Borders(train_end=8640, val_end=11520, test_end=14400)


DATASET = Dataset(
    name="etth1",
    summary="An electricity transformer, 17,420 hours x 7 (Zhou et al. 2021); looked for, else downloaded",
    read=_read,
    borders=_borders,
    source="https://github.com/zhouhaoyi/ETDataset",
    licence="CC BY-ND 4.0",
)
