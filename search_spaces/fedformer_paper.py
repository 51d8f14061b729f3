"""FEDformer at the size of its paper, with the authors' ETTh1 recipe as baseline: for a GPU.

Sizes and recipe are those of the authors' multivariate ETTh1 script (Zhou et al., ICML 2022), the same at all horizons: width
512 = 8 heads of 64, 2 encoder layers and 1 decoder layer, 64 random modes, lookback 96, start token 48, Adam at 1e-4 halved
after each epoch, batch 32, dropout 0.05, 10 epochs. Its moving average of 24 steps is the paper's mixture with one of 12 here.
Around it: other lookbacks, widths, depths and modes, windows' norms.
"""

from __future__ import annotations

from search_spaces.base import Choice, Float, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "fedformer",
    {
        "data.lookback": Ordinal(96, 168, 336, 720),
        "model.n_heads": Ordinal(4, 8),
        "model.head_width": Ordinal(16, 32, 64),
        "model.feedforward": Ordinal(512, 1024, 2048),
        "model.n_encoder_layers": Ordinal(1, 2, 3),
        "model.n_decoder_layers": Ordinal(1, 2),
        "model.n_modes": Ordinal(16, 32, 64),
        "model.selection": Choice("random", "lowest"),
        "model.scores": Choice("tanh", "softmax"),
        "model.long_kernel": Ordinal(24, 48),
        "model.start_fraction": Ordinal(0.25, 0.5, 1.0),
        "model.dropout": Float(0.0, 0.3),
        "model.norm": Choice("none", "last", "revin"),
        **TRAINING,
    },
    baseline={"data.lookback": 96, "train.learning_rate": 1e-4, "train.schedule": "halve"},
)
