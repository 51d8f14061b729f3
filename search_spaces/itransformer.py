"""iTransformer, small enough for one CPU thread: an epoch of 2048 windows takes a second or two.

The baseline is the recipe of the authors' ETTh1 scripts (Liu et al., ICLR 2024: lookback 96, 8 heads, 2 layers, feed-forward
as wide as the tokens, dropout 0.1, Adam halved after each epoch, batch 32), cut down from a width of 256 to 128 and from whole
epochs to 2048 windows, at the highest of the learning rates of their search, 1e-3: their 1e-4 is for epochs four times as
long.
"""

from __future__ import annotations

from search_spaces.base import Choice, Float, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "itransformer",
    {
        "data.lookback": Ordinal(48, 96, 168, 336),
        "model.n_heads": Ordinal(2, 4, 8),
        "model.head_width": Ordinal(8, 16, 32),
        "model.feedforward": Ordinal(64, 128, 256),
        "model.n_layers": Ordinal(1, 2, 3),
        "model.dropout": Float(0.0, 0.3),
        "model.norm": Choice("none", "last", "revin"),
        "train.windows_per_epoch": 2048,
        **TRAINING,
    },
    baseline={
        "data.lookback": 96,
        "model.n_heads": 8,
        "model.head_width": 16,
        "model.feedforward": 128,
        "train.learning_rate": 1e-3,
        "train.schedule": "halve",
    },
)
