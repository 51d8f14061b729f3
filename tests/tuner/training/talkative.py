"""A model that prints."""

from __future__ import annotations

from torch import Tensor, nn

from datasets.windows.batch import Inputs
from models.base import Forecaster, WindowShape


class Talkative(Forecaster):
    def __init__(self, shape: WindowShape, *, word: str = "hello") -> None:
        super().__init__(shape)
        self.word = word
        self.map = nn.Linear(shape.lookback, shape.horizon)

    def forward(self, inputs: Inputs) -> Tensor:
        print(self.word)
        return self.map(inputs.past_target.transpose(1, 2)).transpose(1, 2).unsqueeze(-1)


MODEL = Talkative
