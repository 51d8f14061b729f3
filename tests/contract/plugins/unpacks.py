"""A model with a bug that raises ValueError, and its space."""

from __future__ import annotations

from torch import Tensor, nn

from datasets.windows.batch import Inputs
from models.base import Forecaster, WindowShape
from search_spaces.base import Space


class Unpacks(Forecaster):
    """Takes three sizes for two."""

    def __init__(self, shape: WindowShape) -> None:
        super().__init__(shape)
        self.map = nn.Linear(shape.lookback, shape.horizon)

    def forward(self, inputs: Inputs) -> Tensor:
        _, _ = inputs.past_target.shape  # type: ignore[misc]
        return self.map(inputs.past_target.mT).mT.unsqueeze(-1)


MODEL = Unpacks
SPACE = Space("tests.contract.plugins.unpacks", {"train.windows_per_epoch": 256})
