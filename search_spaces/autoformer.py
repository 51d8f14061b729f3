"""Autoformer, small enough for one CPU thread: an epoch of 2048 windows takes seconds.

The baseline is the recipe of the authors' ETTh1 scripts (Wu et al., NeurIPS 2021: lookback 96, start token 48, Adam, its rate
halved after each epoch, batch 32, dropout 0.05, factor 3, moving average of 25 steps, 2 encoder layers, 1 decoder layer,
feed-forward of 4 times the width), cut down from a width of 512 to 64 and from whole epochs to 2048 windows, with a learning
rate of 1e-3 for their 1e-4 in return. For the paper's size take ``autoformer_paper``.
"""

from __future__ import annotations

from search_spaces.base import Choice, Float, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "autoformer",
    {
        "data.lookback": Ordinal(48, 96, 168),
        "model.n_heads": Ordinal(1, 2),
        "model.head_width": Ordinal(16, 32, 64),
        "model.feedforward": Ordinal(64, 128, 256),
        "model.n_encoder_layers": Ordinal(1, 2),
        "model.factor": Ordinal(1, 2, 3),
        "model.kernel": Ordinal(13, 25, 49),
        "model.start_fraction": Ordinal(0.25, 0.5, 1.0),
        "model.dropout": Float(0.0, 0.3),
        "model.norm": Choice("none", "last", "revin"),
        "train.windows_per_epoch": 2048,
        **TRAINING,
    },
    baseline={
        "data.lookback": 96,
        "model.head_width": 64,
        "model.feedforward": 256,
        "train.learning_rate": 1e-3,
        "train.schedule": "halve",
    },
)
