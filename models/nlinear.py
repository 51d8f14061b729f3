"""NLinear: one linear map of the past less its last value.

Zeng, Chen, Zhang and Xu, "Are Transformers Effective for Time Series Forecasting?", AAAI 2023.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from jaxtyping import Float
from torch import Tensor

from datasets.windows.batch import Inputs
from models.base import Forecaster, Use, WindowShape
from models.layers.linear import ChannelLinear
from models.layers.normalisation import WindowNorm


class NLinear(Forecaster):
    """NLinear (Zeng et al., AAAI 2023, section 4): forecast = A (past - last value) + last value.

    A is shared by all channels, or one for each. It starts at 1 / L everywhere for the location, at 0 for a head's further
    outputs, as in DLinear, where the authors' code starts at random.

    Args:
        shape: The sizes of a window. Calendar features and covariates are not used.
        individual: One map for each channel.
        norm: Level and spread of the observed past, which the map does not see: none, last (value), revin (see WindowNorm).
    """

    uses: ClassVar[frozenset[Use]] = frozenset({"observed"})

    def __init__(
        self, shape: WindowShape, *, individual: bool = False, norm: Literal["none", "last", "revin"] = "last"
    ) -> None:
        super().__init__(shape)
        self.norm = WindowNorm(norm, shape.n_targets)
        self.linear = ChannelLinear(shape.n_targets if individual else 1, shape.lookback, shape.horizon, shape.n_outputs)

    def forward(self, inputs: Inputs) -> Float[Tensor, "B H C O"]:
        """The outputs of each channel from its own past."""
        past, statistics = self.norm(inputs.past_target, inputs.past_observed)
        return self.norm.restore(self.linear(past), statistics)


MODEL = NLinear
