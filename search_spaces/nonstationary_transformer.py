"""Non-stationary Transformer, small enough for one CPU thread: an epoch of 2048 windows takes seconds.

The baseline is the recipe under which the Time-Series-Library trains it on ETTh1 (lookback 96, start token 48, Adam, its rate
halved after each epoch, batch 32, dropout 0.1, 2 encoder layers, 1 decoder layer, heads of 16), cut down from a width of 128
to 64, from a feed-forward of 2048 to 256, from hidden layers of 256 behind tau and delta to 64 and from whole epochs to 2048
windows, with a learning rate of 1e-3 for 1e-4 in return.
"""

from __future__ import annotations

from search_spaces.base import Float, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "nonstationary_transformer",
    {
        "data.lookback": Ordinal(48, 96, 168),
        "model.n_heads": Ordinal(1, 2, 4),
        "model.head_width": Ordinal(8, 16),
        "model.feedforward": Ordinal(64, 128, 256),
        "model.n_encoder_layers": Ordinal(1, 2),
        "model.factor_width": Ordinal(16, 64, 256),
        "model.start_fraction": Ordinal(0.25, 0.5, 1.0),
        "model.dropout": Float(0.0, 0.3),
        "train.windows_per_epoch": 2048,
        **TRAINING,
    },
    baseline={
        "data.lookback": 96,
        "model.n_heads": 4,
        "model.head_width": 16,
        "model.feedforward": 256,
        "model.factor_width": 64,
        "model.dropout": 0.1,
        "train.learning_rate": 1e-3,
        "train.schedule": "halve",
    },
)
