"""From a problem to its data, cut at its borders."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import datasets
from datasets.config import Borders
from datasets.reading import TABLE_SUFFIXES
from tuner.study.schema import did_you_mean
from tuner.study.study import Problem

if TYPE_CHECKING:
    from datasets.base import Dataset, Panel
    from datasets.windows.prepared import PreparedData


def find_dataset(problem: Problem) -> Dataset:
    """The named data set, or the user's file as one.

    Raises:
        LookupError: it is neither a name nor a path.
    """
    if problem.dataset in datasets.names():
        return datasets.get(problem.dataset)
    path = Path(problem.dataset)
    if path.name.endswith(TABLE_SUFFIXES) or path.exists():
        from datasets.base import Dataset
        from datasets.reading.table import read_table

        return Dataset(name=path.stem, summary=str(path), read=lambda _: read_table(path, fill=problem.fill))
    raise LookupError(
        did_you_mean(problem.dataset, datasets.names(), "data set") + "; or give a path to a .csv or .parquet file"
    )


@dataclass(frozen=True, kw_only=True)
class ProblemData:
    """The panel of a problem, and where it is cut."""

    problem: Problem
    dataset: Dataset
    panel: Panel
    borders: Borders

    def for_trials(self) -> PreparedData:
        """What trials see: nothing after the last validation row."""
        from datasets.windows.prepare import prepare

        return prepare(self.panel, self.borders, self.problem.horizon, test=False)

    def opened(self) -> PreparedData:
        """The same with the test rows, for the end of a study."""
        from datasets.windows.prepare import prepare

        return prepare(self.panel, self.borders, self.problem.horizon, test=True)


def read_problem(problem: Problem, longest_lookback: int) -> ProblemData:
    """Reads the data of a problem, and proves that the longest windows of a study fit into it.

    Raises:
        LookupError, ValueError, OSError: the data cannot be found, cannot be read, or is too short.
    """
    dataset = find_dataset(problem)
    panel = dataset.read(problem.data_dir)
    n_rows = int(panel.lengths.min())
    if n_rows >= 10:
        borders = dataset.borders(n_rows)
        shortest_part = min(borders.val_end - borders.train_end, borders.test_end - borders.val_end)
        if borders.train_end >= longest_lookback + problem.horizon and shortest_part >= problem.horizon:
            return ProblemData(problem=problem, dataset=dataset, panel=panel, borders=borders)
    raise ValueError(
        f"a training window of lookback {longest_lookback} + horizon {problem.horizon} rows must fit into the first "
        f"70 % and a horizon into each part after, {problem.dataset} has {n_rows} rows in all; "
        f"use more data, a shorter --horizon, or --set data.lookback=N"
    )
