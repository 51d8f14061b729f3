"""SparseTSF: hundreds of weights, seconds an epoch on any machine.

The baseline is after the authors' ETTh1 scripts (Lin et al., ICML 2024: period 24, one linear map, a large learning rate; their
lookback is 720, their learning rate 2e-2 at batches of 256): lookback 336, Adam at 1e-2, batch 128.
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
