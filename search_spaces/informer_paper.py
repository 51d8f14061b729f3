"""Informer at the size of its paper, with the authors' ETTh1 recipes as baselines: for a GPU.

Sizes and recipes are those of the authors' multivariate ETTh1 scripts (Zhou et al., AAAI 2021): width 512 = 8 heads of 64, 2
encoder layers and 1 decoder layer, Adam at 1e-4 halved after each epoch, batch 32, dropout 0.05, 6 epochs; lookback, start
token and factor by horizon, at horizon 96 those of LTSF-Linear's scripts (10 epochs). Around them: lookbacks and start tokens
of all those recipes, other widths, depths, windows' norms.
"""

from __future__ import annotations

from search_spaces.base import Choice, Float, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "informer",
    {
        "data.lookback": Ordinal(48, 96, 168, 336, 720),
        "model.n_heads": Ordinal(4, 8, 16),
        "model.head_width": Ordinal(16, 32, 64),
        "model.feedforward": Ordinal(512, 1024, 2048),
        "model.n_encoder_layers": Ordinal(2, 3, 4),
        "model.n_decoder_layers": Ordinal(1, 2),
        "model.distil": Choice(True, False),
        "model.attention": Choice("prob", "full"),
        "model.factor": Ordinal(3, 5, 10, when={"model.attention": "prob"}),
        "model.start_fraction": Ordinal(0.25, 0.5, 1.0),
        "model.dropout": Float(0.0, 0.3),
        "model.norm": Choice("none", "last", "revin"),
        **TRAINING,
    },
    baseline={"train.learning_rate": 1e-4, "train.schedule": "halve"},
    recipes={
        24: {"data.lookback": 48, "model.start_fraction": 1.0, "model.factor": 3},
        48: {"data.lookback": 96, "model.start_fraction": 0.5},
        96: {"data.lookback": 96, "model.start_fraction": 0.5, "model.factor": 3},
        168: {"data.lookback": 168, "model.start_fraction": 1.0},
        336: {"data.lookback": 168, "model.start_fraction": 1.0},
        720: {"data.lookback": 336, "model.start_fraction": 1.0},
    },
)
