"""NLinear: one linear map, trained in seconds on any machine.

The baseline is the recipe of the authors' ETTh1 scripts (Zeng et al., AAAI 2023): lookback 336, Adam at 5e-3 halved after each
epoch, batch 32, one map for all channels.
"""

from __future__ import annotations

from search_spaces.base import Choice, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "nlinear",
    {
        "data.lookback": Ordinal(96, 168, 336, 512),
        "model.individual": Choice(False, True),
        "model.norm": Choice("none", "last", "revin"),
        **TRAINING,
    },
    baseline={"data.lookback": 336, "train.learning_rate": 5e-3, "train.schedule": "halve"},
)
