"""N-HiTS, small enough for one CPU thread: an epoch of 2048 windows takes seconds.

The baseline is of the space that Challu et al., AAAI 2023, searched: 3 stacks of one block, 2 layers, pools 16, 8, 1, strides
24, 12, 1, a lookback of 5 times a horizon of 24, Adam at 1e-3, here halved after each epoch; the width is 128, not 512, the
batch 32, not 256, the epoch 2048 windows, and the loss the study's. Pools and strides around it are the paper's.
"""

from __future__ import annotations

from search_spaces.base import Choice, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "nhits",
    {
        "data.lookback": Ordinal(48, 96, 120, 168),
        "model.pools": Choice("2,2,2", "4,4,4", "8,8,8", "8,4,1", "16,8,1"),
        "model.strides": Choice("168,24,1", "24,12,1", "180,60,1", "40,20,1", "64,8,1"),
        "model.n_blocks": Ordinal(1, 2),
        "model.n_layers": Ordinal(1, 2, 3),
        "model.width": Ordinal(64, 128, 256),
        "model.interpolation": Choice("linear", "nearest", "cubic"),
        "model.norm": Choice("none", "last", "revin"),
        "train.windows_per_epoch": 2048,
        **TRAINING,
    },
    baseline={"data.lookback": 120, "model.width": 128, "train.learning_rate": 1e-3, "train.schedule": "halve"},
)
