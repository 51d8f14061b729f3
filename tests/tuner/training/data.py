"""Prepared data for tests of training, cut by hand: no problem, no study."""

from __future__ import annotations

from dataclasses import dataclass, replace

import datasets
from datasets.base import Panel
from datasets.config import Borders, Columns
from datasets.windows.prepare import prepare
from datasets.windows.prepared import PreparedData, Split
from datasets.windows.splits import chained_stages, final_test, holdout, rolling_folds
from tests.datasets.etth1 import etth1_folder


@dataclass(frozen=True, kw_only=True)
class Example:
    """A panel of one series, and where it is cut."""

    panel: Panel
    borders: Borders
    horizon: int
    n_folds: int = 1
    n_stages: int | None = None

    @property
    def validation(self) -> tuple[Split, ...]:
        if self.n_stages is not None:
            return chained_stages([self.borders], self.n_stages, self.horizon)
        return (holdout([self.borders]),) if self.n_folds == 1 else rolling_folds([self.borders], self.n_folds)

    def for_trials(self) -> PreparedData:
        return self._prepared(*self.validation)

    def opened(self) -> PreparedData:
        test = replace(final_test([self.borders]), train=self.validation[-1].train)
        return self._prepared(*self.validation, test)

    def _prepared(self, *splits: Split) -> PreparedData:
        return prepare(self.panel, splits, self.horizon, chained=self.n_stages is not None)


def synthetic(horizon: int = 12, n_folds: int = 1, n_stages: int | None = None) -> Example:
    panel = datasets.get("synthetic").read(None, Columns())
    borders = Borders(train_end=1400, val_end=1600, test_end=2000)
    return Example(panel=panel, borders=borders, horizon=horizon, n_folds=n_folds, n_stages=n_stages)


def etth1(horizon: int) -> PreparedData:
    """With the test rows."""
    dataset = datasets.get("etth1")
    panel = dataset.read(etth1_folder(), Columns())
    return Example(panel=panel, borders=dataset.borders(len(panel.values), horizon), horizon=horizon).opened()
