"""Hugging Face's time series transformer, for one CPU thread; needs the extra originals.

The baseline holds the defaults of its configuration (2 heads, 2 layers of each kind, feed-forward of 32, dropout 0.1, Student's
t, windows divided by their mean size), lags by frequency, and the training of its authors' example: a rate of 1e-3. Reduced:
a width of 32 for 64, batch 32 for 128, lags of at most 168 steps, a lookback of 48 for three times the horizon,
gradients clipped at 10, and no layer is left out, where the default is one in ten.
"""

from __future__ import annotations

from search_spaces.base import Choice, Float, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "hf_time_series_transformer",
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
        "model.layer_drop": Ordinal(0.0, 0.1),
        "model.distribution": Choice("student_t", "normal"),
        "model.scaling": Choice("mean", "std", "none"),
        "train.loss": "own",
        "train.gradient_clip": 10.0,
        "train.windows_per_epoch": 2048,
        **TRAINING,
    },
    baseline={
        "data.lookback": 48,
        "data.scaling": "mean",
        "data.lags": "frequency",
        "model.head_width": 16,
        "model.layer_drop": 0.0,
    },
)
