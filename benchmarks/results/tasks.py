"""What every model is measured on, and the budget that all of them get."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import search_spaces
from datasets.reading.sources import checked

N_TRIALS, EPOCHS = 20, 10
TIME, LIMIT_S = "8m", 600
"""After the first a study starts no trial, and ends with an epoch; after the second it is interrupted."""


@dataclass(frozen=True, kw_only=True)
class Task:
    """One problem. The first metric ranks the trials."""

    name: str
    title: str
    dataset: str
    """A name in ``datasets``, or that of a file."""
    sha256: str | None = None
    """Of the file."""
    horizon: int
    metrics: tuple[str, str]
    lookback: int | None = None
    """Fixed where series are short; None leaves it to the space."""
    lookback_with_lags: int | None = None
    """That of the spaces that have lags; their longest lag is then ``lookback``."""

    def settings(self, model: str) -> list[str]:
        """What ``--set`` fixes in the space of a model."""
        if self.lookback is None:
            return []
        if "data.longest_lag" in search_spaces.get(model).search:
            return [f"data.lookback={self.lookback_with_lags}", f"data.longest_lag={self.lookback}"]
        return [f"data.lookback={self.lookback}"]

    def arguments(self, model: str) -> list[str]:
        """Those of ``python -m tuner.run`` that decide what comes out."""
        fixed = [word for setting in self.settings(model) for word in ("--set", setting)]
        what = [
            "--space",
            model,
            "--dataset",
            self.dataset,
            "--horizon",
            str(self.horizon),
            "--metric",
            self.metrics[0],
            *fixed,
        ]
        return [*what, "--trials", str(N_TRIALS), "--epochs", str(EPOCHS), "--time", TIME, "--seed", "0"]

    def find_file(self, data_dir: Path | None) -> Path | None:
        """The file of a task that is no named data set.

        Raises:
            ValueError: it is not there, or is another one.
        """
        if self.sha256 is None:
            return None
        folder = data_dir or (Path(set_by_user) if (set_by_user := os.environ.get("TUNER_DATA")) else None)
        if folder is None or not (folder / self.dataset).is_file():
            where = f"{folder} has none" if folder else "neither is set"
            raise ValueError(
                f"{self.dataset} must lie in --data-dir or $TUNER_DATA, {where}; make results DATA=folder names it"
            )
        return checked(folder / self.dataset, self.sha256)


MSE_MAE, MASE_SMAPE = ("mse_scaled", "mae_scaled"), ("mase", "smape")
TASKS = {
    task.name: task
    for task in (
        Task(name="etth1-24", title="ETTh1, horizon 24", dataset="etth1", horizon=24, metrics=MSE_MAE),
        Task(name="etth1-96", title="ETTh1, horizon 96", dataset="etth1", horizon=96, metrics=MSE_MAE),
        Task(
            name="sample-8",
            title="sample.tsf (weekly Ausgrid, 299 series, Monash archive), horizon 8",
            dataset="sample.tsf",
            sha256="5906d190005389b9be9e0641ad23e7f5781233dfca93781898a9e6d9d7535ff6",
            horizon=8,
            metrics=MASE_SMAPE,
            lookback=65,
            lookback_with_lags=24,
        ),
    )
}  # fmt: skip


def models() -> list[str]:
    """The spaces that any machine can run."""
    return [name for name in search_spaces.names() if not name.endswith("_paper")]
