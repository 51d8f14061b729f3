"""SegRNN: seconds an epoch on one CPU thread.

The baseline is the recipe of the Time-Series-Library for ETTh1 (lookback 96, segments of 24, Adam at 1e-4, batch 32, dropout
0.5) with a width of 128 instead of 512, a rate that is not halved after each epoch, and epochs of 2048 windows.
"""

from __future__ import annotations

from search_spaces.base import Choice, Float, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "segrnn",
    {
        "data.lookback": Ordinal(48, 96, 168, 336),
        "model.segment": Ordinal(6, 12, 24, 48),
        "model.width": Ordinal(32, 64, 128, 256),
        "model.dropout": Float(0.0, 0.5),
        "model.norm": Choice("last", "revin"),
        "train.loss": Choice("mse", "mae"),
        "train.windows_per_epoch": 2048,
        **TRAINING,
    },
    baseline={"model.width": 128, "train.learning_rate": 1e-4},
)
