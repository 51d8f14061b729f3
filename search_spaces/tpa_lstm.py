"""TPA-LSTM: seconds an epoch on one CPU thread.

The baseline is what the authors' code takes by default (Shih et al., ECML 2019: 32 filters, dropout 0.2, Adam, batch 32,
absolute error, gradients cut at 5; their repository has no script for time series), cut down from an LSTM of 3 layers of 338 to
one layer of 32, with a learning rate of 1e-3, since at theirs of 1e-5 a few epochs of 2048 windows change little.
"""

from __future__ import annotations

from search_spaces.base import Choice, Float, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "tpa_lstm",
    {
        "data.lookback": Ordinal(48, 96, 168),
        "model.width": Ordinal(16, 32, 64),
        "model.n_layers": Ordinal(1, 2, 3),
        "model.n_filters": Ordinal(8, 16, 32),
        "model.highway": Ordinal(8, 24, 48),
        "model.dropout": Float(0.0, 0.5),
        "model.norm": Choice("none", "last", "revin"),
        "train.loss": Choice("mae", "mse"),
        "train.windows_per_epoch": 2048,
        "train.gradient_clip": 5.0,
        **TRAINING,
    },
    baseline={
        "data.lookback": 96,
        "model.width": 32,
        "model.n_layers": 1,
        "train.loss": "mae",
        "train.learning_rate": 1e-3,
    },
)
