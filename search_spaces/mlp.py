"""MLP: seconds an epoch on one CPU thread.

The baseline has the sizes and the rate of the SimpleFeedForward of GluonTS (Alexandrov et al., JMLR 2020): two layers of 20, a
lookback of 10 times a horizon of 24, Adam at 1e-3, batch 32, gradients clipped at 10. It reads the calendar besides, has revin
where theirs divides a window by its mean size, the loss of the study where theirs is a Student's t, and epochs of 2048 windows
where theirs have 50 batches. Monash's archive has layers of 40, the defaults of an older GluonTS. Around both: wider and deeper
networks, other lookbacks and windows' norms, dropout.
"""

from __future__ import annotations

from search_spaces.base import Choice, Float, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "mlp",
    {
        "data.lookback": Ordinal(24, 48, 96, 168, 240),
        "model.width": Ordinal(20, 40, 128, 512),
        "model.n_layers": Ordinal(1, 2, 3, 4),
        "model.dropout": Float(0.0, 0.5),
        "model.norm": Choice("none", "last", "revin"),
        "train.gradient_clip": 10.0,
        "train.windows_per_epoch": 2048,
        **TRAINING,
    },
    baseline={"data.lookback": 240, "train.learning_rate": 1e-3},
)
