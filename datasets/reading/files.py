"""The user's file, of any kind that we read."""

from __future__ import annotations

from pathlib import Path

from datasets.base import Panel
from datasets.config import Columns
from datasets.reading import FILE_SUFFIXES, TABLE_SUFFIXES
from datasets.reading.assign import ALL_TARGETS
from datasets.reading.table import read_table
from datasets.reading.tsf import read_tsf


def read_file(path: Path, columns: Columns = ALL_TARGETS) -> Panel:
    """Reads a table or a .tsf file, by how its name ends; missing values stay NaN.

    Raises:
        ValueError, LookupError: what is wrong with the file or the columns, where, and the way out.
    """
    name = path.name.lower()
    if name.endswith(TABLE_SUFFIXES):
        return read_table(path, columns)
    if name.endswith(".tsf"):
        return read_tsf(path, columns)
    raise ValueError(
        f"{path}: a data file is one of {', '.join(FILE_SUFFIXES)}, got {path.suffix or 'no suffix'!r}; convert it"
    )
