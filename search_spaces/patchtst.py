"""PatchTST, small enough for one CPU thread: an epoch of 2048 windows takes some ten seconds.

The baseline is the recipe of the authors' ETTh1 script (Nie et al., ICLR 2023: width 16 = 4 heads of 4, 3 layers, feed-forward
128, dropout 0.3, patches of 16 steps every 8, revin, Adam), cut down from lookback 336 to 168, from batches of 128 windows to
32 and from whole epochs to 2048 windows, at a learning rate of 1e-3: their 1e-4 is for a hundred epochs.
"""

from __future__ import annotations

from search_spaces.base import Choice, Float, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "patchtst",
    {
        "data.lookback": Ordinal(96, 168, 336),
        "model.patch_length": Ordinal(8, 16, 24),
        "model.stride": Ordinal(8, 12, 16),
        "model.n_heads": Ordinal(2, 4),
        "model.head_width": Ordinal(4, 8, 16),
        "model.n_layers": Ordinal(1, 2, 3),
        "model.feedforward": Ordinal(32, 64, 128),
        "model.dropout": Float(0.0, 0.4),
        "model.head_dropout": Float(0.0, 0.4),
        "model.norm": Choice("none", "last", "revin"),
        "train.windows_per_epoch": 2048,
        **TRAINING,
    },
    baseline={
        "data.lookback": 168,
        "model.n_heads": 4,
        "model.head_width": 4,
        "model.feedforward": 128,
        "model.dropout": 0.3,
        "train.learning_rate": 1e-3,
    },
)
