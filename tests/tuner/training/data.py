"""Prepared data for tests of training."""

from __future__ import annotations

from pathlib import Path

from datasets.windows.prepared import PreparedData
from tests.datasets.etth1 import etth1_folder
from tuner.study.problem_data import ProblemData, read_problem
from tuner.study.study import Problem


def synthetic(horizon: int = 12) -> ProblemData:
    return read_problem(Problem(dataset="synthetic", horizon=horizon, metric="mse_scaled"), longest_lookback=96)


def etth1(horizon: int) -> PreparedData:
    """With the test rows."""
    folder: Path = etth1_folder()
    problem = Problem(dataset="etth1", horizon=horizon, metric="mse_scaled", data_dir=folder)
    return read_problem(problem, longest_lookback=720).opened()
