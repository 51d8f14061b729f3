"""TimeMixer: some 25 seconds an epoch on one CPU thread.

The baseline is the recipe of the Time-Series-Library for ETTh1 (lookback 96, 3 pooled scales, 2 blocks, width 16, feed-forward
32, Adam at 1e-2, batch 128), with a rate that is not halved after each epoch, and epochs of 2048 windows.
"""

from __future__ import annotations

from search_spaces.base import Choice, Float, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "timemixer",
    {
        "data.lookback": Ordinal(48, 96, 168),
        "model.n_scales": Ordinal(1, 2, 3),
        "model.n_layers": Ordinal(1, 2, 3),
        "model.width": Ordinal(8, 16, 32),
        "model.feedforward": Ordinal(16, 32, 64),
        "model.kernel": Ordinal(5, 13, 25),
        "model.dropout": Float(0.0, 0.3),
        "model.norm": Choice("none", "last", "revin"),
        "train.windows_per_epoch": 2048,
        **TRAINING,
    },
    baseline={"train.learning_rate": 1e-2, "train.batch_size": 128},
)
