"""DeepAR, for one CPU thread: an epoch of 2048 windows takes seconds.

The baseline follows GluonTS (Alexandrov et al., JMLR 2020): a Student's t, an LSTM of 2 layers of 40 with dropout 0.1, series
divided by their mean size, lags by frequency, Adam at 1e-3, batch 32. Reduced: lags of at most 168 steps. The lookback is 48
for any horizon, where theirs is the horizon; gradients are clipped at 10.
"""

from __future__ import annotations

from search_spaces.base import Choice, Float, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "deepar",
    {
        "data.lookback": Ordinal(24, 48, 96),
        "data.scaling": Choice("mean", "standard"),
        "data.lags": Choice("frequency", "none"),
        "data.longest_lag": 168,
        "model.width": Ordinal(20, 40, 80),
        "model.n_layers": Ordinal(1, 2, 3),
        "model.dropout": Float(0.0, 0.3),
        "model.norm": Choice("none", "last", "revin"),
        "train.loss": Choice("student_t", "normal", "quantile"),
        "train.gradient_clip": 10.0,
        "train.windows_per_epoch": 2048,
        **TRAINING,
    },
    baseline={
        "data.lookback": 48,
        "data.scaling": "mean",
        "data.lags": "frequency",
        "model.n_layers": 2,
        "model.dropout": 0.1,
        "train.loss": "student_t",
    },
)
