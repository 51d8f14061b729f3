"""iTransformer at the size of its paper, with the authors' ETTh1 recipes as baselines: for a GPU.

Sizes and recipes are those of the authors' multivariate ETTh1 scripts (Liu et al., ICLR 2024): lookback 96, width and
feed-forward 256 up to horizon 192 and 512 beyond it, 8 heads, 2 layers, dropout 0.1, Adam at 1e-4 halved after each epoch,
batch 32, 10 epochs. Around them: the widths, depths and learning rates of their search, and the lookbacks that they compare.
"""

from __future__ import annotations

from search_spaces.base import Choice, Float, Ordinal, Space
from search_spaces.shared.training import TRAINING

WIDE = {"model.head_width": 64, "model.feedforward": 512}

SPACE = Space(
    "itransformer",
    {
        "data.lookback": Ordinal(48, 96, 192, 336, 720),
        "model.n_heads": Ordinal(4, 8, 16),
        "model.head_width": Ordinal(16, 32, 64),
        "model.feedforward": Ordinal(256, 512, 1024),
        "model.n_layers": Ordinal(1, 2, 3, 4),
        "model.dropout": Float(0.0, 0.3),
        "model.norm": Choice("none", "last", "revin"),
        **TRAINING,
    },
    baseline={
        "data.lookback": 96,
        "model.head_width": 32,
        "model.feedforward": 256,
        "train.learning_rate": 1e-4,
        "train.schedule": "halve",
    },
    recipes={336: WIDE, 720: WIDE},
)
