"""TimesNet at the size of its authors' ETTh1 script, whole epochs: for a GPU.

The baseline is that script (Wu et al., ICLR 2023, in the Time-Series-Library): lookback 96, width 16, 32 channels between the
inception blocks, 2 layers, 5 periods, 6 kernels, Adam at 1e-4 halved after each epoch, batch 32, dropout 0.1. Around it: the
widths, depths and numbers of periods that the paper's other data sets have, longer lookbacks, windows' norms.
"""

from __future__ import annotations

from search_spaces.base import Choice, Float, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "timesnet",
    {
        "data.lookback": Ordinal(48, 96, 168, 336),
        "model.width": Ordinal(16, 32, 64),
        "model.feedforward": Ordinal(32, 64, 128),
        "model.n_layers": Ordinal(1, 2, 3),
        "model.n_periods": Ordinal(1, 3, 5),
        "model.n_kernels": Ordinal(3, 4, 6),
        "model.dropout": Float(0.0, 0.3),
        "model.norm": Choice("none", "last", "revin"),
        **TRAINING,
    },
    baseline={"data.lookback": 96, "train.learning_rate": 1e-4, "train.schedule": "halve"},
)
