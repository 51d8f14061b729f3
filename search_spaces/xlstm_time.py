"""xLSTMTime, small enough for one CPU thread: an epoch of 2048 windows takes some ten seconds.

The baseline is the network of the authors' code (3 blocks of sLSTM with 4 heads over the channels, a moving average of 25
steps, revin, absolute errors, Adam, batch 64), cut down from a lookback of 512 to 168, from heads of 64 to 16 and from whole
epochs to 2048 windows. They find a learning rate by a range test, and let it rise and fall over 100 epochs; here it is 1e-3.

Of a single series the blocks have no order of channels to read: ``--set model.along=steps`` lets them read its steps instead.
With several channels that costs seconds a step here.
"""

from __future__ import annotations

from search_spaces.base import Choice, Float, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "xlstm_time",
    {
        "data.lookback": Ordinal(48, 96, 168, 336),
        "model.cell": Choice("slstm", "mlstm"),
        "model.kernel": Ordinal(5, 13, 25, 49),
        "model.n_heads": Ordinal(1, 2, 4),
        "model.head_width": Ordinal(8, 16, 32),
        "model.n_blocks": Ordinal(1, 2, 3),
        "model.dropout": Float(0.0, 0.3),
        "model.norm": Choice("none", "last", "revin"),
        "train.loss": Choice("mse", "mae"),
        "train.windows_per_epoch": 2048,
        **TRAINING,
    },
    baseline={
        "data.lookback": 168,
        "model.head_width": 16,
        "train.loss": "mae",
        "train.learning_rate": 1e-3,
        "train.batch_size": 64,
    },
)
