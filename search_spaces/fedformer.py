"""FEDformer, small enough for one CPU thread: an epoch of 2048 windows takes seconds.

The baseline is the recipe under which the Time-Series-Library trains FEDformer on ETTh1 (lookback 96, start token 48, Adam, its
rate halved after each epoch, batch 32, dropout 0.1, 64 random modes, 2 encoder layers, 1 decoder layer, feed-forward of 4 times
the width), cut down from a width of 512 to 64, from 64 modes to 16 and from whole epochs to 2048 windows, with a learning rate
of 1e-3 for 1e-4 in return.
"""

from __future__ import annotations

from search_spaces.base import Choice, Float, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "fedformer",
    {
        "data.lookback": Ordinal(48, 96, 168),
        "model.n_heads": Ordinal(1, 2, 4),
        "model.head_width": Ordinal(8, 16),
        "model.feedforward": Ordinal(64, 128, 256),
        "model.n_encoder_layers": Ordinal(1, 2),
        "model.n_modes": Ordinal(8, 16, 32),
        "model.selection": Choice("random", "lowest"),
        "model.scores": Choice("tanh", "softmax"),
        "model.long_kernel": Ordinal(24, 48),
        "model.start_fraction": Ordinal(0.25, 0.5, 1.0),
        "model.dropout": Float(0.0, 0.3),
        "model.norm": Choice("none", "last", "revin"),
        "train.windows_per_epoch": 2048,
        **TRAINING,
    },
    baseline={
        "data.lookback": 96,
        "model.n_heads": 4,
        "model.head_width": 16,
        "model.feedforward": 256,
        "model.n_modes": 16,
        "model.dropout": 0.1,
        "train.learning_rate": 1e-3,
        "train.schedule": "halve",
    },
)
