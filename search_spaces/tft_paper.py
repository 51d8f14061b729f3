"""TFT with the random search of its paper: for a GPU.

The ranges are those of the paper's search (Lim et al., IJF 2021, section 6.2 and appendix A: 60 random trials), the baseline is
what it found for electricity: width 160, dropout 0.1, batch 64, Adam at 1e-3, a gradient of norm 0.01 at most, 4 heads. The
lookback is fixed, as in the paper, to the 168 steps of its hourly data. Quantiles are .1, .5 and .9.
"""

from __future__ import annotations

from search_spaces.base import Ordinal, Space

SPACE = Space(
    "tft",
    {
        "data.lookback": 168,
        "model.width": Ordinal(10, 20, 40, 80, 160, 240, 320),
        "model.n_heads": Ordinal(1, 4),
        "model.dropout": Ordinal(0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 0.9),
        "train.loss": "quantile",
        "train.learning_rate": Ordinal(1e-4, 1e-3, 1e-2),
        "train.batch_size": Ordinal(64, 128, 256),
        "train.gradient_clip": Ordinal(0.01, 1.0, 100.0),
    },
    baseline={"train.batch_size": 64, "train.gradient_clip": 0.01},
)
