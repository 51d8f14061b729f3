"""SegRNN at the size of its paper, with the authors' ETTh1 recipe as baseline: for a GPU.

Sizes and recipe are those of the authors' multivariate ETTh1 script (Lin et al., 2023), the same at all horizons: width 512,
lookback 720 in segments of 24, dropout 0.1, Adam at 3e-4, batch 64, 30 epochs. Their schedule (three epochs, then 0.8 times the
rate after each) is a constant rate here. Around it: other lookbacks, segments and widths, windows' norms, absolute errors.
"""

from __future__ import annotations

from search_spaces.base import Choice, Float, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "segrnn",
    {
        "data.lookback": Ordinal(96, 192, 336, 720),
        "model.segment": Ordinal(12, 24, 48),
        "model.width": Ordinal(128, 256, 512),
        "model.dropout": Float(0.0, 0.5),
        "model.norm": Choice("last", "revin"),
        "train.loss": Choice("mse", "mae"),
        **TRAINING,
    },
    baseline={"data.lookback": 720, "model.dropout": 0.1, "train.learning_rate": 3e-4, "train.batch_size": 64},
)
