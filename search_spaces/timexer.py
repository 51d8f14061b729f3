"""TimeXer, small enough for one CPU thread: an epoch of 2048 windows takes seconds.

The baseline is the recipe of the authors' ETTh1 scripts (Wang et al., NeurIPS 2024: lookback 96, patches of 16 steps, 8 heads,
1 layer, feed-forward of 4 times the width as for horizon 720, dropout 0.1, revin, Adam halved after each epoch), cut down from
a width of 256 to 64 and from whole epochs to 2048 windows, at batch 16, theirs for long horizons, and a learning rate of 1e-3:
their 1e-4 is for batches of 4 windows.
"""

from __future__ import annotations

from search_spaces.base import Choice, Float, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "timexer",
    {
        "data.lookback": Ordinal(48, 96, 168, 336),
        "model.patch_length": Ordinal(8, 12, 16, 24),
        "model.n_heads": Ordinal(2, 4, 8),
        "model.head_width": Ordinal(8, 16),
        "model.n_layers": Ordinal(1, 2),
        "model.feedforward": Ordinal(64, 128, 256),
        "model.dropout": Float(0.0, 0.3),
        "model.norm": Choice("none", "last", "revin"),
        "train.windows_per_epoch": 2048,
        **TRAINING,
    },
    baseline={
        "data.lookback": 96,
        "model.n_heads": 8,
        "model.head_width": 8,
        "model.feedforward": 256,
        "train.learning_rate": 1e-3,
        "train.batch_size": 16,
        "train.schedule": "halve",
    },
)
