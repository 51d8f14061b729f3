"""From a problem to its data: read, filled, cut at its borders."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import datasets
from datasets.config import SPLITS, Borders, Cut
from datasets.reading import FILE_SUFFIXES
from tuner.study.schema import did_you_mean
from tuner.study.study import Problem

if TYPE_CHECKING:
    from datasets.base import Dataset, Panel
    from datasets.windows.prepared import PreparedData, Split


def find_dataset(problem: Problem) -> Dataset:
    """The named data set, or the user's file as one.

    Raises:
        LookupError: it is neither a name nor a path.
    """
    if problem.dataset in datasets.names():
        return datasets.get(problem.dataset)
    path = Path(problem.dataset)
    if path.name.lower().endswith(FILE_SUFFIXES) or path.exists():
        from datasets.base import Dataset
        from datasets.reading.files import read_file

        many = path.suffix.lower() == ".tsf" or problem.columns.series_id is not None
        cut = SPLITS["last" if many else "fractions"]
        return Dataset(name=path.stem, summary=str(path), read=lambda _, columns: read_file(path, columns), borders=cut)
    raise LookupError(
        did_you_mean(problem.dataset, datasets.names(), "data set") + "; or give a path to a .csv, .parquet or .tsf file"
    )


def default_horizon(dataset: str) -> int:
    """The horizon that a .tsf file names, else 24."""
    path = Path(dataset)
    if path.suffix.lower() == ".tsf" and path.is_file():
        from datasets.reading.tsf import tsf_horizon

        return tsf_horizon(path) or 24
    return 24


@dataclass(frozen=True, kw_only=True)
class ProblemData:
    """The panel of a problem, and where it is cut."""

    problem: Problem
    dataset: Dataset
    panel: Panel
    """Filled, without series that are too short."""
    validation: tuple[Split, ...]
    test: Split
    n_missing: int
    """Values that were missing before they were filled."""
    n_series_read: int
    """Series before short ones were dropped."""

    def for_trials(self) -> PreparedData:
        """What trials see: nothing after the last validation row."""
        from datasets.windows.prepare import prepare

        return prepare(self.panel, self.validation, self.problem.horizon)

    def opened(self) -> PreparedData:
        """The same with the test rows, for the end of a study."""
        from datasets.windows.prepare import prepare

        return prepare(self.panel, (*self.validation, self.test), self.problem.horizon)

    @cached_property
    def sha256(self) -> str:
        """Of the panel."""
        from datasets.windows.prepare import hash_panel

        return hash_panel(self.panel)


def read_problem(problem: Problem, longest_lookback: int, longest_lag: int | None = 0) -> ProblemData:
    """Reads the data of a problem, and proves that the longest windows of a study fit into it.

    Args:
        problem: What is forecast.
        longest_lookback: Of any config of the study.
        longest_lag: As ``DataConfig.longest_lag`` of a config with lags, the longest; 0 if no config has lags.

    Raises:
        LookupError, ValueError, OSError: the data cannot be found, cannot be read, or is too short.
    """
    from datasets.reading.fill import fill
    from datasets.reading.short import short_series
    from datasets.windows.lags import lags_of
    from datasets.windows.splits import final_test, holdout, rolling_folds
    from tuner.study.folds import read_folds

    dataset = find_dataset(problem)
    read = dataset.read(problem.data_dir, problem.columns)
    reach = longest_lookback + (0 if longest_lag == 0 else max(lags_of(read.frequency, longest_lag), default=0))
    cut = SPLITS[problem.split] if problem.split else dataset.borders
    n_rows = _rows_needed(cut, reach, problem, int(read.history.max()))
    panel = fill(read, problem.fill, problem.dataset)
    if len(read.series) == 1 and problem.short_series is None and int(read.history[0]) < n_rows:
        raise ValueError(
            f"windows of {reach} past rows (the longest lookback, with its lags) and {problem.horizon} to forecast need "
            f"{n_rows} rows with this split, {problem.dataset} has {read.history[0]}; use more data, a shorter --horizon, "
            f"--set data.lookback=N, or --short-series pad"
        )
    panel = short_series(panel, n_rows, problem.short_series, problem.dataset)
    if problem.folds_file:
        validation, test = read_folds(problem.folds_file, panel)
    else:
        borders = [cut(int(n), problem.horizon) for n in panel.history]
        validation = (holdout(borders),) if problem.n_folds == 1 else rolling_folds(borders, problem.n_folds)
        test = final_test(borders)
    return ProblemData(
        problem=problem,
        dataset=dataset,
        panel=panel,
        validation=validation,
        test=test,
        n_missing=read.n_missing,
        n_series_read=len(read.series),
    )


def _rows_needed(cut: Cut, reach: int, problem: Problem, longest: int) -> int:
    """The fewest rows of a series with which every stage has a training window, and a scored one."""
    horizon = problem.horizon

    def enough(n_rows: int) -> bool:
        try:
            borders: Borders = cut(n_rows, horizon)
        except ValueError:
            return False
        validated = borders.val_end - borders.train_end
        first_train_end = borders.train_end - (problem.n_folds - 1) * validated
        fits = first_train_end >= reach + horizon and validated >= horizon and borders.test_end - borders.val_end >= horizon
        return fits and borders.test_end <= n_rows

    low, high = 0, max(longest, 1)
    while not enough(high):
        low, high = high, 2 * high
        if high > 1 << 40:
            return high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
