"""ETTh1 as ``PreparedData``, made by hand with the borders that papers use."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from datasets.base import FloatArray
from datasets.windows.prepared import PreparedData, Scaler, Stage

TRAIN_END, VALIDATION_END, TEST_END = 8640, 11520, 14400


def prepared(values: FloatArray, horizon: int, train_end: int, score_end: int, period: int = 24) -> PreparedData:
    """One series of scaled values with one stage."""
    mean, std = np.zeros((1, values.shape[1])), np.ones((1, values.shape[1]))
    return PreparedData(
        values=values.astype(np.float32),
        observed=np.ones(values.shape, dtype=bool),
        known=np.zeros((len(values), 0), dtype=np.float32),
        offsets=np.array([0, len(values)]),
        scaler=Scaler(mean=mean, std=std),
        horizon=horizon,
        period=period,
        stages=(Stage(name="holdout", train=np.array([[0, train_end]]), score=np.array([[train_end, score_end]])),),
        channels=tuple(f"channel_{i}" for i in range(values.shape[1])),
        series=("series",),
        sha256="",
    )


def etth1_values() -> FloatArray:
    """(14400, 7), z-scored by the train rows. Skips the test if the file is not at hand."""
    folder = Path(os.environ.get("TUNER_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")
    if not (folder / "ETTh1.csv").is_file():
        pytest.skip(f"ETTh1.csv is not in {folder}; set TUNER_DATA to its folder")
    values = pd.read_csv(folder / "ETTh1.csv", index_col=0).to_numpy(dtype=np.float64)[:TEST_END]
    train = values[:TRAIN_END]
    scaled: FloatArray = (values - train.mean(0)) / train.std(0)
    return scaled
