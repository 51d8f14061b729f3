"""Informer, small enough for one CPU thread: an epoch of 2048 windows takes seconds.

The baseline is the recipe of the authors' ETTh1 scripts (Zhou et al., AAAI 2021: Adam, learning rate 1e-4 halved after each
epoch, batch 32, dropout 0.05, 2 encoder layers, 1 decoder layer, feed-forward of 4 times the width, no norm of the window), cut
down from a width of 512 to 64 and from whole epochs to 2048 windows. Lookback, start token and factor are theirs for horizons
24, 48, 168 and 336; elsewhere lookback 96 and start token 48, as in the Time-Series-Library. It is no attempt at the paper's
figures: for those take ``informer_paper``.
"""

from __future__ import annotations

from search_spaces.base import Choice, Float, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "informer",
    {
        "data.lookback": Ordinal(48, 96, 168),
        "model.n_heads": Ordinal(1, 2, 4),
        "model.head_width": Ordinal(8, 16),
        "model.feedforward": Ordinal(64, 128, 256),
        "model.n_encoder_layers": Ordinal(1, 2),
        "model.distil": Choice(True, False, when={"model.n_encoder_layers": 2}),
        "model.attention": Choice("prob", "full"),
        "model.factor": Ordinal(1, 3, 5, when={"model.attention": "prob"}),
        "model.start_fraction": Ordinal(0.25, 0.5, 1.0),
        "model.dropout": Float(0.0, 0.3),
        "model.norm": Choice("none", "last", "revin"),
        "train.windows_per_epoch": 2048,
        **TRAINING,
    },
    baseline={
        "model.n_heads": 4,
        "model.head_width": 16,
        "model.feedforward": 256,
        "train.learning_rate": 1e-4,
        "train.schedule": "halve",
    },
    recipes={
        24: {"data.lookback": 48, "model.start_fraction": 1.0, "model.factor": 3},
        48: {"data.lookback": 96, "model.start_fraction": 0.5},
        168: {"data.lookback": 168, "model.start_fraction": 1.0},
        336: {"data.lookback": 168, "model.start_fraction": 1.0},
    },
)
