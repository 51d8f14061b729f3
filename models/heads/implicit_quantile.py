"""The whole quantile function as a network of the level."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from datasets.windows.batch import Batch, Inputs
from models.base import Forecast
from models.heads.base import Head, unpack
from models.heads.draws import Draws
from models.heads.quantile import pinball

_N_LEVELS = 20
"""Of the loss in evaluation."""


class ImplicitQuantileHead(Head):
    """The value at level t is location + spread * g(features, t), with g a network that this head learns.

    The level enters through cos(pi i t), i = 0 .. n - 1, mapped, rectified, and multiplied into the mapped features (Dabney et
    al., "Implicit Quantile Networks", ICML 2018, equation 4), as 1 + it (Gouttes et al., "Probabilistic Time Series Forecasting
    with Implicit Quantile Networks", 2021). A training step draws one level for each value from torch's default generator and
    takes the pinball loss there; evaluation takes its mean over levels that are spread evenly. Nothing makes g rise with t:
    quantiles may cross where there is little to learn from.

    Args:
        n_features: Outputs of the model beyond location and log spread.
        width: Of the network.
        n_cosines: n.
    """

    frequencies: Tensor

    def __init__(self, n_features: int = 8, width: int = 32, n_cosines: int = 64) -> None:
        super().__init__()
        self.n_outputs = 2 + n_features
        self.register_buffer("frequencies", math.pi * torch.arange(n_cosines), persistent=False)
        self.features = nn.Linear(n_features, width)
        self.level = nn.Linear(n_cosines, width)
        self.value = nn.Linear(width, 1)

    def quantile(self, outputs: Float[Tensor, "B H C O"], levels: Float[Tensor, "B H C"]) -> Float[Tensor, "B H C"]:
        """The value at one level for each, in the units of ``Inputs.past_target``."""
        location, log_spread, features = unpack(outputs)
        with torch.autocast(outputs.device.type, enabled=False):
            level = F.relu(self.level((levels.unsqueeze(-1) * self.frequencies).cos()))
            shape: Tensor = self.value(F.relu(self.features(features)) * (1 + level))
        return location + log_spread.exp() * shape.squeeze(-1)

    def loss(self, outputs: Float[Tensor, "B H C O"], batch: Batch) -> Float[Tensor, "B H C"]:
        """The pinball loss in scaled units: at a level that is drawn for each value, or in evaluation mode the mean over
        the middles of 20 equal parts of (0, 1)."""
        target = batch.future_target
        if self.training:
            return self._loss_at(torch.rand_like(target), outputs, target)
        return (
            sum(
                (self._loss_at(torch.full_like(target, (i + 0.5) / _N_LEVELS), outputs, target) for i in range(_N_LEVELS)),
                start=torch.zeros_like(target),
            )
            / _N_LEVELS
        )

    def _loss_at(
        self, levels: Float[Tensor, "B H C"], outputs: Float[Tensor, "B H C O"], target: Float[Tensor, "B H C"]
    ) -> Float[Tensor, "B H C"]:
        return pinball(self.quantile(outputs, levels), target, levels)

    def forecast(self, outputs: Float[Tensor, "B H C O"], inputs: Inputs, n_paths: int, draws: Draws) -> Forecast:
        """Paths whose values are independent of each other."""
        # Path by path: the cosines of all of them at once would fill the memory.
        levels = draws.levels(n_paths, *outputs.shape[1:3]).unbind(1)
        return Forecast(paths=torch.stack([self.quantile(outputs, level) for level in levels], 1))
