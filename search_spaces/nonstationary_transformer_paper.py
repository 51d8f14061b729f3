"""Non-stationary Transformer at full size, with a recipe for ETTh1 as baseline: for a GPU.

The baseline is the recipe under which the Time-Series-Library trains it on ETTh1 at horizon 96 (Liu et al., NeurIPS 2022, print
none for ETTh1 in their repository): width 128 = 8 heads of 16, feed-forward 2048, 2 encoder layers and 1 decoder layer, hidden
layers of 256 behind tau and delta, lookback 96, start token 48, Adam at 1e-4 halved after each epoch, batch 32, dropout 0.1, 10
epochs. Around it: widths up to the authors' 512, other lookbacks and depths, smaller layers behind tau and delta.
"""

from __future__ import annotations

from search_spaces.base import Float, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "nonstationary_transformer",
    {
        "data.lookback": Ordinal(48, 96, 168, 336, 720),
        "model.n_heads": Ordinal(4, 8),
        "model.head_width": Ordinal(16, 32, 64),
        "model.feedforward": Ordinal(512, 1024, 2048),
        "model.n_encoder_layers": Ordinal(1, 2, 3),
        "model.n_decoder_layers": Ordinal(1, 2),
        "model.factor_width": Ordinal(64, 128, 256),
        "model.start_fraction": Ordinal(0.25, 0.5, 1.0),
        "model.dropout": Float(0.0, 0.3),
        **TRAINING,
    },
    baseline={
        "data.lookback": 96,
        "model.head_width": 16,
        "model.dropout": 0.1,
        "train.learning_rate": 1e-4,
        "train.schedule": "halve",
    },
)
