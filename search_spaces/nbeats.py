"""N-BEATS, small enough for one CPU thread: an epoch of 2048 windows takes seconds.

The baseline is the generic network of Oreshkin et al., ICLR 2020 (4 layers a block, 32 coefficients, a lookback of 7 times a
horizon of 24, Adam at 1e-3), cut down from 30 stacks to 4, from a width of 512 to 128, from a batch of 1024 to 32 and from
whole epochs to 2048 windows; the loss is the study's, where the paper's are of the M4 competition. It is no attempt at the
paper's figures: for its size take ``nbeats_paper``.
"""

from __future__ import annotations

from search_spaces.base import Choice, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "nbeats",
    {
        "data.lookback": Ordinal(48, 96, 168),
        "model.basis": Choice("generic", "interpretable"),
        "model.n_stacks": Ordinal(1, 2, 4, 8, when={"model.basis": "generic"}),
        "model.width": Ordinal(32, 64, 128, when={"model.basis": "generic"}),
        "model.n_coefficients": Ordinal(8, 16, 32, when={"model.basis": "generic"}),
        "model.trend_width": Ordinal(32, 64, 128, when={"model.basis": "interpretable"}),
        "model.seasonality_width": Ordinal(64, 128, 256, when={"model.basis": "interpretable"}),
        "model.degree": Ordinal(1, 2, 3, when={"model.basis": "interpretable"}),
        "model.n_blocks": Ordinal(1, 2, 3),
        "model.n_layers": Ordinal(2, 3, 4),
        "model.norm": Choice("none", "last", "revin"),
        "train.windows_per_epoch": 2048,
        **TRAINING,
    },
    baseline={"data.lookback": 168, "model.n_stacks": 4, "model.width": 128, "train.learning_rate": 1e-3},
)
