"""MMoE: seconds an epoch on one CPU thread.

The baseline has the 8 experts of one layer of the paper's experiments (Ma et al., KDD 2018) and Adam. Widths, lookback and
learning rate are ours: the paper's tasks are no forecasts. Each target is a task, and all count alike, as in the paper.
"""

from __future__ import annotations

from search_spaces.base import Choice, Float, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "mmoe",
    {
        "data.lookback": Ordinal(48, 96, 168),
        "model.task": Choice("channel", "horizon"),
        "model.n_blocks": Ordinal(2, 4, 8, when={"model.task": "horizon"}),
        "model.n_experts": Ordinal(2, 4, 8, 16),
        "model.width": Ordinal(16, 32, 64),
        "model.tower_width": Ordinal(8, 16, 32, 64),
        "model.dropout": Float(0.0, 0.5),
        "model.weighting": Choice("uniform", "uncertainty"),
        "model.norm": Choice("none", "last", "revin"),
        "train.windows_per_epoch": 2048,
        **TRAINING,
    },
    baseline={"data.lookback": 96, "model.width": 32, "model.tower_width": 32, "train.learning_rate": 1e-3},
)
