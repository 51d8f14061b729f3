"""SparseTSF: hundreds of weights, seconds an epoch on any machine.

The baseline is ours: period 24, one linear map, lookback 336, Adam at 1e-2 halved after each epoch, batch 128.
"""

from __future__ import annotations

from search_spaces.base import Choice, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "sparsetsf",
    {
        "data.lookback": Ordinal(96, 168, 336, 512, 720),
        "model.period": Ordinal(4, 6, 8, 12, 24, 48),
        "model.hidden": Ordinal(0, 32, 128),
        "model.norm": Choice("none", "last", "revin"),
        **TRAINING,
    },
    baseline={
        "data.lookback": 336,
        "train.learning_rate": 1e-2,
        "train.batch_size": 128,
        "train.schedule": "halve",
    },
)
