"""Crossformer at the size of its paper, with the authors' ETTh1 recipes as baselines: for a GPU.

Sizes and recipes are those of the authors' ETTh1 scripts (Zhang and Yan, ICLR 2023): width 256 = 4 heads of 64, 3 scales, 10
routers, feed-forward 512, dropout 0.2, batch 32, Adam halved after each epoch; lookback 168 in segments of 6 at 1e-4 for
horizons 24 and 48, lookback 720 in segments of 24 at 1e-5 for 168, 336 and 720; other horizons get the first. Around them: the
segments and lookbacks of their search, other widths and depths, windows' norms.
"""

from __future__ import annotations

from search_spaces.base import Choice, Float, Ordinal, Space
from search_spaces.shared.training import TRAINING

LONG = {"data.lookback": 720, "model.segment_length": 24, "train.learning_rate": 1e-5}

SPACE = Space(
    "crossformer",
    {
        "data.lookback": Ordinal(48, 96, 168, 336, 720),
        "model.segment_length": Ordinal(6, 12, 24),
        "model.n_heads": Ordinal(2, 4, 8),
        "model.head_width": Ordinal(16, 32, 64),
        "model.n_layers": Ordinal(2, 3, 4),
        "model.n_routers": Ordinal(3, 5, 10),
        "model.feedforward": Ordinal(128, 256, 512),
        "model.dropout": Float(0.0, 0.3),
        "model.norm": Choice("none", "last", "revin"),
        **TRAINING,
    },
    baseline={"data.lookback": 168, "train.learning_rate": 1e-4, "train.schedule": "halve"},
    recipes={168: LONG, 336: LONG, 720: LONG},
)
