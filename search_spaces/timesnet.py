"""TimesNet, small enough for one CPU thread: an epoch of 2048 windows takes seconds.

The baseline is the recipe of the Time-Series-Library's ETTh1 script, by the authors (Wu et al., ICLR 2023: lookback 96, width
16, 32 channels between the inception blocks, 2 layers, batch 32, dropout 0.1, windows standardised, learning rate halved after
each epoch), cut down from 5 periods and 6 kernels to 3 and 3, and from whole epochs to 2048 windows; the rate starts at 1e-3,
not 1e-4, for so few steps. It is no attempt at the paper's figures: for those take ``timesnet_paper``.
"""

from __future__ import annotations

from search_spaces.base import Choice, Float, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "timesnet",
    {
        "data.lookback": Ordinal(48, 96, 168),
        "model.width": Ordinal(8, 16, 32),
        "model.feedforward": Ordinal(8, 16, 32),
        "model.n_layers": Ordinal(1, 2),
        "model.n_periods": Ordinal(1, 2, 3, 5),
        "model.n_kernels": Ordinal(1, 2, 3, 4),
        "model.dropout": Float(0.0, 0.3),
        "model.norm": Choice("none", "last", "revin"),
        "train.windows_per_epoch": 2048,
        **TRAINING,
    },
    baseline={
        "data.lookback": 96,
        "model.n_periods": 3,
        "model.n_kernels": 3,
        "train.learning_rate": 1e-3,
        "train.schedule": "halve",
    },
)
