"""LSTNet at the size of its paper, over whole epochs: minutes an epoch on a CPU.

The baseline is the recipe of the authors' scripts for hourly data (Lai et al., SIGIR 2018: lookback 168, 100 filters of 6
steps, GRU of 100, skip-GRU of 5 over periods of 24, highway of 24 steps, dropout 0.2, Adam at 1e-3, batch 128, absolute error,
gradients cut at 10). Around it lie half and twice its sizes, other periods, windows' norms.
"""

from __future__ import annotations

from search_spaces.base import Choice, Float, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "lstnet",
    {
        "data.lookback": Ordinal(48, 96, 168, 336),
        "model.n_filters": Ordinal(50, 100, 200),
        "model.kernel": Ordinal(3, 6, 12),
        "model.width": Ordinal(50, 100, 200),
        "model.skip": Ordinal(4, 12, 24),
        "model.skip_width": Ordinal(5, 10, 20, 50),
        "model.highway": Ordinal(8, 24, 48),
        "model.dropout": Float(0.0, 0.5),
        "model.norm": Choice("none", "last", "revin"),
        "train.loss": Choice("mae", "mse"),
        "train.gradient_clip": 10.0,
        **TRAINING,
    },
    baseline={
        "data.lookback": 168,
        "train.loss": "mae",
        "train.learning_rate": 1e-3,
        "train.batch_size": 128,
    },
)
