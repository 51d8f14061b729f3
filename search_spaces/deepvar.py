"""DeepVAR, for one CPU thread: an epoch of 2048 windows takes seconds.

The baseline is the recipe of its paper (Salinas et al., NeurIPS 2019): an LSTM of 2 layers of 40 with dropout 0.01, rank 10,
Adam at 1e-3, batch 16, series divided by their mean size, lags by frequency. Reduced: lags of at most 168 steps.
Gradients are clipped at 10.
"""

from __future__ import annotations

from search_spaces.base import Choice, Float, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "deepvar",
    {
        "data.lookback": Ordinal(24, 48, 96),
        "data.scaling": Choice("mean", "standard"),
        "data.lags": Choice("frequency", "none"),
        "data.longest_lag": 168,
        "model.width": Ordinal(20, 40, 80),
        "model.n_layers": Ordinal(1, 2, 3),
        "model.dropout": Float(0.0, 0.3),
        "model.norm": Choice("none", "last", "revin"),
        "train.loss": Choice("low_rank_normal", "normal", "student_t"),
        "train.rank": Ordinal(2, 5, 10, when={"train.loss": "low_rank_normal"}),
        "train.gradient_clip": 10.0,
        "train.windows_per_epoch": 2048,
        **TRAINING,
    },
    baseline={
        "data.lookback": 48,
        "data.scaling": "mean",
        "data.lags": "frequency",
        "model.dropout": 0.01,
        "train.loss": "low_rank_normal",
        "train.rank": 10,
        "train.batch_size": 16,
    },
)
