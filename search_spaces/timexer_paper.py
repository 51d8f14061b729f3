"""TimeXer at the size of its paper, with the authors' ETTh1 recipes as baselines: for a GPU.

Sizes and recipes are those of the authors' multivariate ETTh1 scripts (Wang et al., NeurIPS 2024): lookback 96, patches of 16
steps, 8 heads, dropout 0.1, revin, Adam at 1e-4 halved after each epoch, 10 epochs; width, layers, feed-forward and batch by
horizon (a batch of 4 windows, theirs up to horizon 192, is 16 here). Around them: the widths and depths of their search, other
patches and lookbacks.
"""

from __future__ import annotations

from search_spaces.base import Choice, Float, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "timexer",
    {
        "data.lookback": Ordinal(48, 96, 192, 336, 720),
        "model.patch_length": Ordinal(8, 16, 24, 48),
        "model.n_heads": Ordinal(4, 8, 16),
        "model.head_width": Ordinal(16, 32, 64),
        "model.n_layers": Ordinal(1, 2, 3),
        "model.feedforward": Ordinal(256, 512, 1024, 2048),
        "model.dropout": Float(0.0, 0.3),
        "model.norm": Choice("none", "last", "revin"),
        **TRAINING,
    },
    baseline={
        "data.lookback": 96,
        "model.feedforward": 2048,
        "train.learning_rate": 1e-4,
        "train.batch_size": 16,
        "train.schedule": "halve",
    },
    recipes={
        192: {"model.head_width": 16, "model.n_layers": 2},
        336: {"model.head_width": 64, "model.feedforward": 1024},
        720: {"model.feedforward": 1024},
    },
)
