"""PatchTST at the size of its paper, with the authors' recipe for ETTh1 as the baseline: for a GPU.

The baseline is PatchTST/42 of the authors' ETTh1 script (Nie et al., ICLR 2023): lookback 336, patches of 16 steps every 8,
width 16 = 4 heads of 4, 3 layers, feed-forward 128, dropout 0.3, revin, Adam at 1e-4, batch 128. Their schedule (three epochs,
then 0.9 times the rate after each, for 100 epochs) is a constant rate here. Around it: the size of their larger data sets
(width 128 = 16 heads of 8, feed-forward 256, dropout 0.2), lookback 512 (PatchTST/64) and the lookbacks that they compare.
"""

from __future__ import annotations

from search_spaces.base import Choice, Float, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "patchtst",
    {
        "data.lookback": Ordinal(96, 192, 336, 512, 720),
        "model.patch_length": Ordinal(8, 16, 24, 32),
        "model.stride": Ordinal(4, 8, 16),
        "model.n_heads": Ordinal(4, 8, 16),
        "model.head_width": Ordinal(4, 8, 16),
        "model.n_layers": Ordinal(2, 3, 4),
        "model.feedforward": Ordinal(128, 256, 512),
        "model.dropout": Float(0.0, 0.4),
        "model.head_dropout": Float(0.0, 0.4),
        "model.norm": Choice("none", "last", "revin"),
        **TRAINING,
    },
    baseline={
        "data.lookback": 336,
        "model.n_heads": 4,
        "model.head_width": 4,
        "model.feedforward": 128,
        "model.dropout": 0.3,
        "train.learning_rate": 1e-4,
        "train.batch_size": 128,
    },
)
