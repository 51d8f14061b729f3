"""TFT, small enough for one CPU thread: an epoch of 2048 windows takes seconds.

The baseline is the recipe of the paper's electricity data (Lim et al., IJF 2021, appendix A: lookback 168, Adam at 1e-3, batch
64, dropout 0.1, 4 heads, quantiles .1, .5 and .9, a gradient of norm 0.01 at most), cut down from a width of 160 to 16, a
lookback of 168 to 96, and to 2048 windows an epoch. For the paper's sizes take ``tft_paper``.
"""

from __future__ import annotations

from search_spaces.base import Choice, Float, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "tft",
    {
        "data.lookback": Ordinal(48, 96, 168),
        "model.width": Ordinal(8, 16, 32, 64),
        "model.n_heads": Ordinal(1, 2, 4),
        "model.dropout": Float(0.0, 0.5),
        "model.norm": Choice("none", "last", "revin"),
        "train.loss": "quantile",
        "train.gradient_clip": Ordinal(0.01, 1.0, 100.0),
        "train.windows_per_epoch": 2048,
        **TRAINING,
    },
    baseline={"model.width": 16, "train.batch_size": 64, "train.gradient_clip": 0.01},
)
