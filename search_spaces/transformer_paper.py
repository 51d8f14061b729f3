"""Transformer at the base size of its paper, with a recipe for ETTh1 as baseline: for a GPU.

Width 512 = 8 heads of 64 and a feed-forward of 2048 are the paper's base size (Vaswani et al., NeurIPS 2017). The baseline is
the recipe under which the Time-Series-Library trains it on ETTh1, the same at all horizons: 2 encoder layers and 1 decoder
layer, lookback 96, start token 48, Adam at 1e-4 halved after each epoch, batch 32, dropout 0.1, 10 epochs. Around it: other
lookbacks, widths, depths, windows' norms.
"""

from __future__ import annotations

from search_spaces.base import Choice, Float, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "transformer",
    {
        "data.lookback": Ordinal(48, 96, 168, 336, 720),
        "model.n_heads": Ordinal(4, 8, 16),
        "model.head_width": Ordinal(16, 32, 64),
        "model.feedforward": Ordinal(512, 1024, 2048),
        "model.n_encoder_layers": Ordinal(1, 2, 3, 6),
        "model.n_decoder_layers": Ordinal(1, 2, 3, 6),
        "model.start_fraction": Ordinal(0.25, 0.5, 1.0),
        "model.dropout": Float(0.0, 0.3),
        "model.norm": Choice("none", "last", "revin"),
        **TRAINING,
    },
    baseline={"data.lookback": 96, "train.learning_rate": 1e-4, "train.schedule": "halve"},
)
