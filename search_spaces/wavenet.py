"""WaveNet, trained in seconds on any machine.

The baseline has the sizes and the rate of the WaveNet of GluonTS (van den Oord et al., 2016, give none: width 24, skip width
32, one stack of dilations, Adam at 1e-3, batch 32), with a direct map to the horizon, the loss of the study and epochs of 2048
windows; the lookback is a week of hours, of two there. Around it: wider networks, more stacks, windows' norms.
"""

from __future__ import annotations

from search_spaces.base import Choice, Float, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "wavenet",
    {
        "data.lookback": Ordinal(48, 96, 168),
        "model.width": Ordinal(16, 24, 32, 64),
        "model.skip_width": Ordinal(32, 64, 128),
        "model.n_stacks": Ordinal(1, 2),
        "model.dropout": Float(0.0, 0.3),
        "model.norm": Choice("none", "last", "revin"),
        "train.windows_per_epoch": 2048,
        **TRAINING,
    },
    baseline={"data.lookback": 168, "train.learning_rate": 1e-3},
)
