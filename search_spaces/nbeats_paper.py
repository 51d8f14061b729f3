"""N-BEATS at the size of its paper, whole epochs: for a GPU.

The baseline is the generic network of Oreshkin et al., ICLR 2020: 30 stacks of a block, 4 layers of width 512, 32 coefficients,
Adam at 1e-3, and the longest lookback of its ensemble, 7 times a horizon of 24. The batch is 128, not 1024: a window here
holds every channel. Around it: the interpretable network, fewer and narrower stacks, other lookbacks, windows' norms.
"""

from __future__ import annotations

from search_spaces.base import Choice, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "nbeats",
    {
        "data.lookback": Ordinal(48, 96, 168, 336),
        "model.basis": Choice("generic", "interpretable"),
        "model.n_stacks": Ordinal(4, 10, 20, 30, when={"model.basis": "generic"}),
        "model.width": Ordinal(128, 256, 512, when={"model.basis": "generic"}),
        "model.n_coefficients": Ordinal(16, 32, 64, when={"model.basis": "generic"}),
        "model.trend_width": Ordinal(128, 256, 512, when={"model.basis": "interpretable"}),
        "model.seasonality_width": Ordinal(512, 1024, 2048, when={"model.basis": "interpretable"}),
        "model.degree": Ordinal(1, 2, 3, when={"model.basis": "interpretable"}),
        "model.n_blocks": Ordinal(1, 2, 3),
        "model.n_layers": Ordinal(2, 3, 4),
        "model.norm": Choice("none", "last", "revin"),
        **TRAINING,
    },
    baseline={"data.lookback": 168, "train.learning_rate": 1e-3, "train.batch_size": 128},
)
