"""From a problem to its data: read, filled, cut at its borders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import datasets
from datasets.config import SPLITS, Borders, Cut, cut_of
from datasets.reading import FILE_SUFFIXES
from tuner.study.schema import did_you_mean
from tuner.study.study import Problem

if TYPE_CHECKING:
    from datasets.base import Dataset, IntArray, Panel
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

        cut = SPLITS["last" if problem.names_series else "fractions"]
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
    """Filled, without series that are too short or have no value of a column in their first train rows."""
    validation: tuple[Split, ...]
    test: Split
    n_missing: int
    """Values that were missing before they were filled."""
    n_series_read: int
    """Series before some were dropped."""

    def for_trials(self) -> PreparedData:
        """What trials see: nothing after the last validation row."""
        return self._for_trials

    @cached_property
    def _for_trials(self) -> PreparedData:
        return self._prepared(self.validation)

    def opened(self) -> PreparedData:
        """The same with the test rows, for the end of a study."""
        return self._prepared((*self.validation, self.test))

    def _prepared(self, splits: Sequence[Split]) -> PreparedData:
        from datasets.windows.prepare import prepare

        problem = self.problem
        return prepare(
            self.panel,
            splits,
            problem.horizon,
            chained=problem.chained,
            first_counted=problem.first_counted,
            whole_numbers=problem.whole_numbers,
        )

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
    from datasets.reading.short import put_in_front
    from datasets.windows.lags import lags_of, reach_of

    dataset = find_dataset(problem)
    read = dataset.read(problem.data_dir, problem.columns)
    if problem.fill is None:
        read = fill(read, None, problem.dataset)  # says first that values are missing
    reach = reach_of(longest_lookback, lags_of(read.frequency, longest_lag))
    plan = _recorded(read, problem, reach) if problem.folds_file else _cut(read, problem, dataset.borders, reach)
    plan = _seen(plan, problem)
    filled = plan.panel if problem.fill is None else fill(plan.panel, problem.fill, problem.dataset)
    return ProblemData(
        problem=problem,
        dataset=dataset,
        panel=put_in_front(filled, plan.n_front),
        validation=plan.validation,
        test=plan.test,
        n_missing=read.n_missing,
        n_series_read=len(read.series),
    )


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """What is kept of what was read, before it is filled."""

    panel: Panel
    n_front: IntArray
    """(n_series,): rows to put in front of each series."""
    validation: tuple[Split, ...]
    """Counted with those rows, as the test."""
    test: Split


def _cut(read: Panel, problem: Problem, usual: Cut, reach: int) -> _Plan:
    """By the split, without series that are too short or with rows to put in front of them."""
    import numpy as np

    from datasets.reading.short import lacking, short_series
    from datasets.windows.splits import final_test

    cut = cut_of(problem.split) if problem.split else usual
    n_rows, enough = _rows_needed(cut, reach, problem, int(read.history.max()))
    if len(read.series) == 1 and problem.short_series is None and not enough(int(read.history[0])):
        fewer = "fewer --stages, " if problem.chained else ""
        raise ValueError(
            f"windows of {reach} past rows (the longest lookback, with its lags) and {problem.horizon} to forecast need "
            f"{n_rows} rows with this split, {problem.dataset} has {read.history[0]}; use more data, {fewer}a shorter "
            f"--horizon, --set data.lookback=N, or --short-series pad"
        )
    pad = problem.short_series == "pad"
    panel = read if pad else short_series(read, n_rows, problem.short_series, problem.dataset, enough)
    n_front = lacking(panel, n_rows, enough) if pad else np.zeros(len(panel.series), dtype=np.int64)
    borders = [cut(int(n), problem.horizon) for n in panel.history + n_front]
    validation = _validation(borders, problem)
    test = replace(final_test(borders), train=validation[-1].train)
    return _Plan(panel=panel, n_front=n_front, validation=validation, test=test)


def _validation(borders: Sequence[Borders], problem: Problem) -> tuple[Split, ...]:
    from datasets.windows.splits import chained_stages, holdout, rolling_folds

    if problem.n_stages is not None:
        return chained_stages(borders, problem.n_stages, problem.horizon)
    return (holdout(borders),) if problem.n_folds == 1 else rolling_folds(borders, problem.n_folds)


def _recorded(read: Panel, problem: Problem, reach: int) -> _Plan:
    """By a folds file: under a rule for short series with the series that it kept, and its rows in front of them."""
    import numpy as np

    from datasets.reading.short import put_in_front, take_series
    from datasets.windows.time_features import places_in_time
    from tuner.study.folds import read_folds, recorded_starts

    assert problem.folds_file is not None
    panel = read
    if problem.short_series is not None:
        starts, places = recorded_starts(problem.folds_file), {name: i for i, name in enumerate(read.series)}
        panel = take_series(read, np.array([places[name] for name in starts if name in places], dtype=np.int64))
    n_front = np.zeros(len(panel.series), dtype=np.int64)
    if problem.short_series == "pad" and len(panel.series):
        times = np.array([starts[name] for name in panel.series])
        place, _ = places_in_time(np.concatenate([times, panel.start_times.astype(times.dtype)]), panel.frequency)
        n_front = np.maximum(place[len(times) :] - place[: len(times)], 0)
    validation, test = read_folds(problem.folds_file, put_in_front(panel, n_front), problem.n_stages)
    for split in (*validation, test):
        before, train = int(split.score[:, 0].min()), int((split.train[:, 1] - split.train[:, 0]).max())
        if before < reach or train < reach + problem.horizon:
            raise ValueError(
                f"--folds-file must leave room for {reach} past rows (the longest lookback, with its lags) and "
                f"{problem.horizon} to forecast, got {train} train rows and {before} before those that are scored in stage "
                f"{split.name}; use a shorter lookback"
            )
    return _Plan(panel=panel, n_front=n_front, validation=validation, test=test)


def _seen(plan: _Plan, problem: Problem) -> _Plan:
    """Only series with a value of every column in the train rows of each stage, so that none is filled from later ones.

    Raises:
        ValueError: a series has none and there is no rule for short series, or no series is left.
    """
    import numpy as np

    from datasets.reading.fill import unseen
    from datasets.reading.short import take_series

    panel = plan.panel
    names = (*panel.channels, *panel.covariate_names, *panel.known_names)
    ranges = [np.maximum(split.train - plan.n_front[:, None], 0) for split in plan.validation]
    lacks = np.any([unseen(panel, rows) for rows in ranges], axis=0)
    if problem.fill == "zero":  # looks at no other row; but targets are scaled by what is observed
        lacks[:, len(panel.channels) :] = False
    short = lacks.any(axis=1)
    if not short.any():
        return plan
    if problem.short_series is None or problem.folds_file or short.all():
        i = int(np.argmax(short))
        raise ValueError(
            f"{problem.dataset}: a series needs a value of every column in its train rows (of the first fold), got none of "
            f"{names[int(np.argmax(lacks[i]))]!r} in series {panel.series[i]!r} ({int(short.sum())} of {len(short)} are so); "
            "remove the column, or use --short-series drop"
        )
    kept = np.flatnonzero(~short)

    def of_kept(split: Split) -> Split:
        return replace(split, train=split.train[kept], score=split.score[kept])

    return _Plan(
        panel=take_series(panel, kept),
        n_front=plan.n_front[kept],
        validation=tuple(map(of_kept, plan.validation)),
        test=of_kept(plan.test),
    )


def _rows_needed(cut: Cut, reach: int, problem: Problem, longest: int) -> tuple[int, Callable[[int], bool]]:
    """The rows of a series from which on every stage has a training window and a scored one, and whether fewer rows do."""
    horizon = problem.horizon

    def enough(n_rows: int) -> bool:
        try:
            borders: Borders = cut(n_rows, horizon)
            splits = _validation([borders], problem)
        except ValueError:
            return False
        trained = min(int(split.train[0, 1] - split.train[0, 0]) for split in splits)
        scored = min(*(int(split.score[0, 1] - split.score[0, 0]) for split in splits), borders.test_end - borders.val_end)
        return trained >= reach + horizon and scored >= horizon and borders.test_end <= n_rows

    low, high = 0, max(longest, 1)
    while not enough(high):
        low, high = high, 2 * high
        if high > 1 << 40:
            return high, enough
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    # Fractions are rounded: after the first number that is enough, some are not.
    n_stages = problem.n_stages or problem.n_folds
    return max(n for n in range(high - 1, high + 10 * (horizon + n_stages) + 100) if not enough(n)) + 1, enough
