"""DLinear: a moving average and what it leaves, each mapped to the future by one linear layer.

Zeng, Chen, Zhang and Xu, "Are Transformers Effective for Time Series Forecasting?", AAAI 2023.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from jaxtyping import Float
from torch import Tensor

from datasets.windows.batch import Inputs
from models.base import Forecaster, Use, WindowShape
from models.layers.arguments import at_least
from models.layers.decomposition import moving_average
from models.layers.linear import ChannelLinear
from models.layers.normalisation import WindowNorm


class DLinear(Forecaster):
    """DLinear (Zeng et al., AAAI 2023, section 4): trend = moving average of the past, forecast = A trend + B (past - trend).

    A and B are shared by all channels, or one pair for each. Both start at 1 / L everywhere (see ``ChannelLinear``);
    what gives further outputs of a head (a spread) starts at 0. The average repeats the first and the last value beyond the
    ends.

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
        self.trend, self.rest = (ChannelLinear(n_maps, shape.lookback, shape.horizon, shape.n_outputs) for _ in range(2))

    def forward(self, inputs: Inputs) -> Float[Tensor, "B H C O"]:
        """The outputs of each channel from its own past."""
        past, statistics = self.norm(inputs.past_target, inputs.past_observed)
        trend = moving_average(past.mT, self.kernel).mT
        return self.norm.restore(self.trend(trend) + self.rest(past - trend), statistics)


MODEL = DLinear
