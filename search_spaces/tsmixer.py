"""TSMixer: some ten seconds an epoch on one CPU thread.

The baseline is ours: 4 blocks with a feed-forward width of 64, lookback 336, dropout 0.3, Adam at 1e-3, epochs of 2048 windows.
The authors tune theirs for each data set.
"""

from __future__ import annotations

from search_spaces.base import Choice, Float, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "tsmixer",
    {
        "data.lookback": Ordinal(48, 96, 168, 336, 512),
        "model.n_layers": Ordinal(1, 2, 4, 6),
        "model.feedforward": Ordinal(16, 32, 64, 128),
        "model.dropout": Float(0.0, 0.9),
        "model.norm": Choice("none", "last", "revin"),
        "train.windows_per_epoch": 2048,
        **TRAINING,
    },
    baseline={"data.lookback": 336, "train.learning_rate": 1e-3},
)
