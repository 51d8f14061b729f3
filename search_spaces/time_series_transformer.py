"""Time series transformer, for one CPU thread: an epoch of 2048 windows takes seconds.

The baseline follows the defaults of Hugging Face's model (2 heads, 2 layers of each kind, feed-forward of 32, dropout 0.1,
Student's t, series divided by their mean size, lags by frequency) and training at 1e-3. Reduced: a width of 32 for 64, batch 32
for 128, lags of at most 168 steps, a lookback of 48 for three times the horizon. Gradients are clipped at 10.
"""

from __future__ import annotations

from search_spaces.base import Choice, Float, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "time_series_transformer",
    {
        "data.lookback": Ordinal(24, 48, 96),
        "data.scaling": Choice("mean", "standard"),
        "data.lags": Choice("frequency", "none"),
        "data.longest_lag": 168,
        "model.n_heads": Ordinal(1, 2, 4),
        "model.head_width": Ordinal(8, 16, 32),
        "model.n_encoder_layers": Ordinal(1, 2, 4),
        "model.n_decoder_layers": Ordinal(1, 2, 4),
        "model.feedforward": Ordinal(32, 64, 128),
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
        "model.head_width": 16,
        "train.loss": "student_t",
    },
)
