"""Crossformer, small enough for one CPU thread: an epoch of 2048 windows takes some ten seconds.

The baseline is the recipe of the authors' ETTh1 scripts for horizons 24 and 48 (Zhang and Yan, ICLR 2023: 4 heads, 3 scales,
10 routers, feed-forward of twice the width, dropout 0.2, no norm of the window, Adam halved after each epoch, batch 32), cut
down from a width of 256 to 32, from lookback 168 in segments of 6 to 96 in segments of 12, from 10 routers to 4 and from whole
epochs to 2048 windows, at a learning rate of 1e-3: their 1e-4 is for wider networks and longer epochs.
"""

from __future__ import annotations

from search_spaces.base import Choice, Float, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "crossformer",
    {
        "data.lookback": Ordinal(48, 96, 168),
        "model.segment_length": Ordinal(6, 12, 24),
        "model.n_heads": Ordinal(1, 2, 4),
        "model.head_width": Ordinal(8, 16),
        "model.n_layers": Ordinal(1, 2, 3),
        "model.n_routers": Ordinal(2, 4, 8),
        "model.feedforward": Ordinal(32, 64, 128),
        "model.dropout": Float(0.0, 0.3),
        "model.norm": Choice("none", "last", "revin"),
        "train.windows_per_epoch": 2048,
        **TRAINING,
    },
    baseline={
        "data.lookback": 96,
        "model.segment_length": 12,
        "model.n_heads": 4,
        "model.head_width": 8,
        "model.n_routers": 4,
        "model.feedforward": 64,
        "train.learning_rate": 1e-3,
        "train.schedule": "halve",
    },
)
