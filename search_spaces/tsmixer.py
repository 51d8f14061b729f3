"""TSMixer: seconds an epoch on any machine.

The baseline is a setting of the authors' long-horizon study for ETTh1 (lookback 512, batch 32, Adam, 6 blocks of feed-forward
width 512, dropout 0.9, learning rate 1e-4) cut to 4 blocks of 64, a lookback of 336 and a dropout of 0.3, with epochs of 2048
windows.
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
