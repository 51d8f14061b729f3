"""A model that prints, knows one loss, and may want too much memory."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from datasets.windows.batch import Inputs
from models.base import Forecaster, WindowShape


class Talkative(Forecaster):
    heads = ("mse",)

    def __init__(self, shape: WindowShape, *, word: str = "hello", n_bytes: int = 0) -> None:
        super().__init__(shape)
        self.ballast = torch.empty(n_bytes, dtype=torch.uint8)
        self.word = word
        self.map = nn.Linear(shape.lookback, shape.horizon)

    def forward(self, inputs: Inputs) -> Tensor:
        print(self.word)
        return self.map(inputs.past_target.transpose(1, 2)).transpose(1, 2).unsqueeze(-1)


MODEL = Talkative
