"""pytorch-forecasting's TFT, for one CPU thread; needs the extra originals.

The baseline holds the defaults of its TemporalFusionTransformer (width 16, 4 heads, 8 numbers a variable, one LSTM layer,
dropout 0.1, 7 quantiles, a rate of 1e-3), with batches of 64 and gradients clipped at 0.1, of our choice. The ranges of width,
numbers a variable, heads, dropout and gradient clipping are those of its optimize_hyperparameters, but for widths above 64;
the rate is that of the other spaces, where it would be found.
"""

from __future__ import annotations

from search_spaces.base import Choice, Float, Int, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "pf_tft",
    {
        "data.lookback": Ordinal(48, 96, 168),
        "model.width": Int(16, 64, log=True),
        "model.n_heads": Int(1, 4),
        "model.continuous_width": Int(8, 64, log=True),
        "model.dropout": Float(0.1, 0.3),
        "model.norm": Choice("none", "last", "revin"),
        "train.loss": "quantile",
        "train.quantile_levels": "0.02,0.1,0.25,0.5,0.75,0.9,0.98",
        "train.gradient_clip": Float(0.01, 100.0, log=True),
        "train.windows_per_epoch": 2048,
        **TRAINING,
    },
    baseline={"data.lookback": 96, "train.batch_size": 64, "train.gradient_clip": 0.1},
)
