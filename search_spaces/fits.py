"""FITS: thousands of weights, seconds an epoch on any machine.

The baseline is ours: period 24, order 6, lookback 336, Adam at 5e-3 halved after each epoch, batch 64.
"""

from __future__ import annotations

from search_spaces.base import Choice, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "fits",
    {
        "data.lookback": Ordinal(96, 168, 336, 512, 720),
        "model.order": Ordinal(2, 4, 6, 8),
        "model.norm": Choice("none", "last", "revin"),
        **TRAINING,
    },
    baseline={"data.lookback": 336, "train.learning_rate": 5e-3, "train.batch_size": 64, "train.schedule": "halve"},
)
