"""Autoformer at the size of its paper, with the authors' ETTh1 recipe as baseline: for a GPU.

Sizes and recipe are those of the authors' multivariate ETTh1 scripts (Wu et al., NeurIPS 2021), the same at all horizons: width
512, 2 encoder layers and 1 decoder layer, lookback 96, start token 48, factor 3, moving average of 25 steps, Adam at 1e-4
halved after each epoch, batch 32, dropout 0.05. Around it: other lookbacks, widths, depths, delays by head, windows' norms.
"""

from __future__ import annotations

from search_spaces.base import Choice, Float, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "autoformer",
    {
        "data.lookback": Ordinal(96, 168, 336, 720),
        "model.n_heads": Ordinal(1, 2),
        "model.head_width": Ordinal(128, 256, 512),
        "model.feedforward": Ordinal(512, 1024, 2048),
        "model.n_encoder_layers": Ordinal(1, 2, 3),
        "model.n_decoder_layers": Ordinal(1, 2),
        "model.factor": Ordinal(1, 2, 3),
        "model.kernel": Ordinal(13, 25, 49),
        "model.start_fraction": Ordinal(0.25, 0.5, 1.0),
        "model.dropout": Float(0.0, 0.3),
        "model.norm": Choice("none", "last", "revin"),
        **TRAINING,
    },
    baseline={"data.lookback": 96, "train.learning_rate": 1e-4, "train.schedule": "halve"},
)
