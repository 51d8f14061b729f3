"""TiDE: seconds an epoch on one CPU thread.

The baseline is after that of the Time-Series-Library for ETTh1 (two layers of 256 each way, 8 numbers a step, dropout 0.3),
with a lookback of 336, a width of 64, a temporal decoder of 32 for 256, batches of 32 for 512, a learning rate of 1e-3, and
epochs of 2048 windows.
"""

from __future__ import annotations

from search_spaces.base import Choice, Float, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "tide",
    {
        "data.lookback": Ordinal(48, 96, 168, 336),
        "model.width": Ordinal(32, 64, 128, 256),
        "model.n_encoder_layers": Ordinal(1, 2, 3),
        "model.n_decoder_layers": Ordinal(1, 2, 3),
        "model.decoder_width": Ordinal(4, 8, 16, 32),
        "model.temporal_width": Ordinal(16, 32, 64, 128),
        "model.dropout": Float(0.0, 0.5),
        "model.norm": Choice("none", "last", "revin"),
        "train.windows_per_epoch": 2048,
        **TRAINING,
    },
    baseline={"data.lookback": 336, "model.width": 64, "model.temporal_width": 32, "train.learning_rate": 1e-3},
)
