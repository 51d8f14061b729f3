"""What every model is measured on, and the budget that all of them get."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import datasets
import search_spaces
from datasets.config import Columns
from datasets.reading.sources import checked

N_TRIALS, EPOCHS = 20, 10
MINUTES, MOST_MINUTES = 5, 10
"""After the first a study starts no trial and no epoch; after the second it is interrupted."""

N_PATHS = 20
_FEW_PATHS = {
    "etth1-24": {"deepar": 5, "time_series_transformer": 5},
    "etth1-96": {"deepar": 5, "hf_time_series_transformer": 5, "time_series_transformer": 3, "timegrad": 5},
}
"""By task and model: where drawing more of every window, step by step, alone takes the time of a study."""

SAMPLE_SHA256 = "5906d190005389b9be9e0641ad23e7f5781233dfca93781898a9e6d9d7535ff6"


class Task(NamedTuple):
    """One problem. The first metric ranks the trials."""

    name: str
    title: str
    dataset: str
    horizon: int
    metrics: tuple[str, str]

    def settings(self, model: str) -> list[str]:
        """What is fixed in the space of a model: nothing, but for short series, which most of the lookbacks do not fit."""
        if self.dataset != "sample.tsf":
            return []
        if "data.longest_lag" in search_spaces.get(model).search:
            return ["data.lookback=24", "data.longest_lag=65"]
        return ["data.lookback=65"]

    def n_paths(self, model: str) -> int:
        """Of each forecast of a model, if it draws any."""
        return _FEW_PATHS.get(self.name, {}).get(model, N_PATHS)

    def arguments(self, model: str) -> list[str]:
        """Those of ``python -m tuner.run`` that decide what comes out."""
        what = f"--space {model} --dataset {self.dataset} --horizon {self.horizon} --metric {self.metrics[0]}".split()
        fixed = [word for setting in self.settings(model) for word in ("--set", setting)]
        if (n_paths := self.n_paths(model)) != N_PATHS:
            fixed += ["--paths", str(n_paths)]
        return [*what, *fixed, *f"--trials {N_TRIALS} --epochs {EPOCHS} --time {MINUTES}m --seed 0".split()]

    def find(self, data_dir: Path | None) -> str:
        """What ``--dataset`` is on this machine: a name, or a file in ``data_dir``, else in $TUNER_DATA.

        Raises:
            ValueError: it is not there, or is another one.
        """
        if self.dataset in datasets.names():
            datasets.get(self.dataset).read(data_dir, Columns())
            return self.dataset
        folder = data_dir or Path(os.environ.get("TUNER_DATA", "."))
        if not (folder / self.dataset).is_file():
            raise ValueError(f"{self.dataset} must lie in --data-dir, else in $TUNER_DATA; {folder} has none")
        return str(checked(folder / self.dataset, SAMPLE_SHA256))


_SCALED, _ARCHIVE = ("mse_scaled", "mae_scaled"), ("mase", "smape")
_ALL = (
    Task("etth1-24", "ETTh1, horizon 24", "etth1", 24, _SCALED),
    Task("etth1-96", "ETTh1, horizon 96", "etth1", 96, _SCALED),
    Task("sample-8", "sample.tsf (Monash archive: 299 weekly series of Ausgrid), horizon 8", "sample.tsf", 8, _ARCHIVE),
)
TASKS = {task.name: task for task in _ALL}


def models() -> list[str]:
    """The spaces that any machine can run."""
    return [name for name in search_spaces.names() if not name.endswith("_paper")]
