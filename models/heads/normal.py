"""A normal distribution for each value."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from datasets.windows.batch import Batch, Inputs
from models.base import Forecast
from models.heads.base import Head, unpack
from models.heads.draws import Draws


class NormalHead(Head):
    """Mean and log standard deviation. The loss is the negative log-likelihood of the scaled value."""

    n_outputs = 2

    def loss(self, outputs: Float[Tensor, "B H C 2"], batch: Batch) -> Float[Tensor, "B H C"]:
        """-log N(target; mean, sd), in nats."""
        mean, log_sd, _ = unpack(outputs)
        return 0.5 * ((batch.future_target - mean) * (-log_sd).exp()) ** 2 + log_sd + 0.5 * math.log(2 * math.pi)

    def forecast(self, outputs: Float[Tensor, "B H C 2"], inputs: Inputs, n_paths: int, draws: Draws) -> Forecast:
        """Paths whose values are independent of each other."""
        mean, log_sd, _ = unpack(outputs)
        drawn = torch.special.ndtri(draws.levels(n_paths, *mean.shape[1:]))
        return Forecast(paths=mean.unsqueeze(1) + log_sd.exp().unsqueeze(1) * drawn)
