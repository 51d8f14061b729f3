"""DLinear: a moving average and what it leaves, each mapped to the future by one linear layer.

Zeng, Chen, Zhang and Xu, "Are Transformers Effective for Time Series Forecasting?", AAAI 2023.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from datasets.windows.batch import Inputs
from models.base import Forecaster, Use, WindowShape
from models.layers.arguments import at_least
from models.layers.decomposition import moving_average
from models.layers.normalisation import WindowNorm


class DLinear(Forecaster):
    """DLinear (Zeng et al., AAAI 2023, section 4): trend = moving average of the past, forecast = A trend + B (past - trend).

    A and B are shared by all channels, or one pair for each. Both start at 1 / L everywhere, so that the first forecast is
    close to the mean of the past, as in the authors' code; what gives further outputs of a head (a spread) starts at 0. The
    average repeats the first and the last value beyond the ends.

    Departure: a norm of the window around the map, off by default; norm="last" puts NLinear's (same paper) around it.

    Args:
        shape: The sizes of a window. Calendar features and covariates are not used.
        kernel: Steps of the moving average.
        individual: One pair of maps for each channel.
        norm: Level and spread of the observed past, which the maps do not see: none, last (value), revin (see WindowNorm).

    Raises:
        ValueError: an argument is out of its range.
    """

    uses: ClassVar[frozenset[Use]] = frozenset({"observed"})

    def __init__(
        self,
        shape: WindowShape,
        *,
        kernel: int = 25,
        individual: bool = False,
        norm: Literal["none", "last", "revin"] = "none",
    ) -> None:
        super().__init__(shape)
        at_least(1, kernel=kernel)
        self.kernel = kernel
        self.norm = WindowNorm(norm, shape.n_targets)
        n_maps = shape.n_targets if individual else 1
        self.trend, self.rest = (ChannelLinear(n_maps, shape.lookback, shape.horizon * shape.n_outputs) for _ in range(2))
        for linear in (self.trend, self.rest):
            with torch.no_grad():
                linear.weight.view(n_maps, shape.horizon, shape.n_outputs, -1)[:, :, 1:] = 0

    def forward(self, inputs: Inputs) -> Float[Tensor, "B H C O"]:
        """The outputs of each channel from its own past."""
        past, statistics = self.norm(inputs.past_target, inputs.past_observed)
        past = past.mT
        trend = moving_average(past, self.kernel)
        outputs = (self.trend(trend) + self.rest(past - trend)).view(*past.shape[:2], self.shape.horizon, self.shape.n_outputs)
        return self.norm.restore(outputs.transpose(1, 2), statistics)


class ChannelLinear(nn.Module):
    """A linear map along time, shared by the channels (n_maps = 1) or one for each (n_maps = C)."""

    def __init__(self, n_maps: int, n_inputs: int, n_outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((n_maps, n_outputs, n_inputs), 1 / n_inputs))
        self.bias = nn.Parameter(torch.empty(n_maps, n_outputs).uniform_(-1, 1) / n_inputs**0.5)

    def forward(self, channels: Float[Tensor, "B C n"]) -> Float[Tensor, "B C m"]:
        """Each channel through its map."""
        if len(self.weight) == 1:
            return F.linear(channels, self.weight[0], self.bias[0])
        return torch.einsum("bcn,cmn->bcm", channels, self.weight) + self.bias


MODEL = DLinear
