"""The weekly Ausgrid panel of the Monash archive (299 series x 156, horizon 8): its last 8 rows are the test."""

from __future__ import annotations

import functools
import os
from pathlib import Path

import numpy as np
import pytest

from datasets.config import last_horizons
from datasets.reading.tsf import read_tsf
from datasets.windows.prepare import prepare
from datasets.windows.prepared import PreparedData
from datasets.windows.splits import final_test, holdout
from datasets.windows.windowing import score_origins
from models.floors.base import Floor
from models.floors.ets import Ets
from models.floors.naive import Naive
from models.floors.naive2 import Naive2
from models.floors.pooled_regression import PooledRegression
from models.floors.seasonal_naive import SeasonalNaive
from models.floors.ses import Ses
from models.floors.theta import Theta
from tests.models.floors.data import futures


@functools.cache
def sample() -> PreparedData:
    folder = Path(os.environ.get("TUNER_DATA") or Path(__file__).parents[4] / "shared" / "data")
    if not (folder / "sample.tsf").is_file():
        pytest.skip(f"sample.tsf is not in {folder}; set TUNER_DATA to its folder")
    panel = read_tsf(folder / "sample.tsf")
    borders = [last_horizons(int(n), 8) for n in panel.history]
    return prepare(panel, [holdout(borders), final_test(borders)], 8)


def monash(floor: Floor, data: PreparedData) -> tuple[float, float]:
    """mase and smape as the archive computes them: means over series, the scale from all rows before the test."""
    test = data.stages[1]
    floor.fit(data, test)
    origins = score_origins(test, data.offsets, data.horizon).all()
    truth, forecast = futures(data, origins)[..., 0], floor.forecast(data, origins)[..., 0]
    error = np.abs(truth - forecast)
    before = data.values.reshape(len(origins), -1)[:, : -data.horizon]
    scale = np.abs(before[:, data.period :] - before[:, : -data.period]).mean(1)
    return float((error.mean(1) / scale).mean()), float((2 * error / (np.abs(truth) + np.abs(forecast))).mean())


# Naive, seasonal naive, ses and the pooled regression: measured beforehand, independently. Theta and ets: as first computed.
@pytest.mark.parametrize(
    ("floor", "mase", "smape"),
    [
        (Naive(), 1.258, 0.312),
        (Naive2(), 1.258, 0.312),  # no season shows itself: three whole ones, of 52 weeks, are more than there are rows
        (SeasonalNaive(), 1.311, 0.312),
        (Ses(), 1.213, 0.301),
        (PooledRegression(), 0.937, 0.229),
        pytest.param(Theta(), 1.220, 0.3015, marks=pytest.mark.slow),
        pytest.param(Ets(), 1.209, 0.300, marks=pytest.mark.slow),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_floors_reach_their_figures_on_the_sample_of_the_archive(floor: Floor, mase: float, smape: float) -> None:
    assert monash(floor, sample()) == pytest.approx((mase, smape), abs=6e-4)
