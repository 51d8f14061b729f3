"""TempFlow, for one CPU thread: an epoch of 2048 windows takes seconds.

The baseline is the authors' (Rasul et al., ICLR 2021, and their code): an LSTM of 2 layers of 40 with dropout 0.1, a condition
of width 200, Real NVP of 3 blocks with hidden layers of 100, Adam at 1e-3, batch 32, lags by frequency. Reduced: lags of at
most 168 steps; their schedule of one cycle up to 1e-2 and their weight decay are left out. The lookback is 48 for any
horizon, where theirs is the horizon; gradients are clipped at 10.
"""

from __future__ import annotations

from search_spaces.base import Choice, Float, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "tempflow",
    {
        "data.lookback": Ordinal(24, 48, 96),
        "data.lags": Choice("frequency", "none"),
        "data.longest_lag": 168,
        "model.width": Ordinal(20, 40, 80),
        "model.n_layers": Ordinal(1, 2, 3),
        "model.dropout": Float(0.0, 0.3),
        "model.condition_width": Ordinal(50, 100, 200),
        "model.n_blocks": Ordinal(2, 3, 4, 5),
        "model.flow_width": Ordinal(50, 100, 200),
        "model.n_hidden": Ordinal(1, 2),
        "model.norm": Choice("none", "last", "revin"),
        "train.loss": "own",
        "train.gradient_clip": 10.0,
        "train.windows_per_epoch": 2048,
        **TRAINING,
    },
    baseline={"data.lookback": 48, "data.lags": "frequency"},
)
