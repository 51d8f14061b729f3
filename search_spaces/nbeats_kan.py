"""N-BEATS with Kolmogorov-Arnold layers, for one CPU thread: an epoch of 2048 windows takes some ten seconds.

The baseline is pytorch-forecasting's NBeatsKAN by its defaults (trend and seasonality, 3 blocks each of 3 layers, 5 intervals
of cubic splines over [-1, 1], dropout 0.1), with a seasonality width of 64 instead of 512 and a learning rate of 1e-3 instead
of 1e-2, without their weight decay of 1e-3. The loss is the study's, where theirs is mase; an epoch has 2048 windows.
"""

from __future__ import annotations

from search_spaces.base import Choice, Float, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "nbeats_kan",
    {
        "data.lookback": Ordinal(48, 96, 168),
        "model.basis": Choice("interpretable", "generic"),
        "model.n_stacks": Ordinal(1, 2, 4, when={"model.basis": "generic"}),
        "model.width": Ordinal(16, 32, 64, when={"model.basis": "generic"}),
        "model.n_coefficients": Ordinal(8, 16, 32, when={"model.basis": "generic"}),
        "model.trend_width": Ordinal(16, 32, 64, when={"model.basis": "interpretable"}),
        "model.seasonality_width": Ordinal(32, 64, 128, when={"model.basis": "interpretable"}),
        "model.degree": Ordinal(1, 2, 3, when={"model.basis": "interpretable"}),
        "model.n_blocks": Ordinal(1, 2, 3),
        "model.n_layers": Ordinal(1, 2, 3),
        "model.n_intervals": Ordinal(3, 5, 8),
        "model.reach": Ordinal(1.0, 2.0, 4.0),
        "model.dropout": Float(0.0, 0.3),
        "model.norm": Choice("none", "last", "revin"),
        "train.windows_per_epoch": 2048,
        **TRAINING,
    },
    baseline={"data.lookback": 96, "model.seasonality_width": 64, "train.learning_rate": 1e-3},
)
