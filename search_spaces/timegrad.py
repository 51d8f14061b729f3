"""TimeGrad, for one CPU thread: an epoch of 2048 windows takes seconds, and so does the sampling that scores it.

The baseline is the authors' (Rasul et al., ICML 2021, and their code): an LSTM of 2 layers of 40 with dropout 0.1, a condition
of width 100, 100 diffusion steps with betas up to 0.1, Adam at 1e-3, batch 32, lags by frequency. Reduced: the denoiser has 4
layers of 32 for 8; a forecast takes 10 implicit steps for 100; lags of at most 168 steps; no one-cycle schedule, no weight
decay. The lookback is 48 for any horizon, where theirs is the horizon; gradients are clipped at 10.
"""

from __future__ import annotations

from search_spaces.base import Choice, Float, Ordinal, Space
from search_spaces.shared.training import TRAINING

SPACE = Space(
    "timegrad",
    {
        "data.lookback": Ordinal(24, 48, 96),
        "data.lags": Choice("frequency", "none"),
        "data.longest_lag": 168,
        "model.width": Ordinal(20, 40, 80),
        "model.n_layers": Ordinal(1, 2, 3),
        "model.dropout": Float(0.0, 0.3),
        "model.condition_width": Ordinal(50, 100, 200),
        "model.denoiser_width": Ordinal(16, 32, 64),
        "model.n_denoiser_layers": Ordinal(2, 4, 8),
        "model.n_sampling_steps": 10,
        "model.eta": 0.0,
        "model.norm": Choice("none", "last", "revin"),
        "train.loss": "own",
        "train.gradient_clip": 10.0,
        "train.windows_per_epoch": 2048,
        **TRAINING,
    },
    baseline={
        "data.lookback": 48,
        "data.lags": "frequency",
        "model.denoiser_width": 32,
        "model.n_denoiser_layers": 4,
    },
)
