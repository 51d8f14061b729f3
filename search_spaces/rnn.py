"""A plain LSTM or GRU, for one CPU thread: an epoch of 2048 windows takes seconds.

The baseline is pytorch-forecasting's RecurrentNetwork by its defaults (2 layers of LSTM with a width of 10, dropout 0.1,
absolute errors, Adam at a learning rate of 1e-3). Gradients are clipped at 10, and an epoch has 2048 windows.
"""

from __future__ import annotations

from search_spaces.base import Choice, Float, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "rnn",
    {
        "data.lookback": Ordinal(24, 48, 96, 168),
        "data.lags": Choice("frequency", "none"),
        "data.longest_lag": 168,
        "model.cell": Choice("lstm", "gru"),
        "model.width": Ordinal(10, 20, 40, 80),
        "model.n_layers": Ordinal(1, 2, 3),
        "model.dropout": Float(0.0, 0.3),
        "model.norm": Choice("none", "last", "revin"),
        "train.loss": Choice("mse", "mae", "huber"),
        "train.gradient_clip": 10.0,
        "train.windows_per_epoch": 2048,
        **TRAINING,
    },
    baseline={"data.lookback": 48, "data.lags": "none", "train.loss": "mae", "train.learning_rate": 1e-3},
)
