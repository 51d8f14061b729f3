"""A model that goes wrong on demand, and its space: what a plug-in from outside this repository looks like."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from datasets.windows.batch import Inputs
from models.base import Forecaster, WindowShape
from search_spaces.base import Choice, Float, Space


class Fragile(Forecaster):
    """One linear map; may diverge, take its time to go, or break after some steps."""

    def __init__(self, shape: WindowShape, *, explode: bool = False, linger_s: float = 0.0, breaks: bool = False) -> None:
        super().__init__(shape)
        self.explode, self.linger_s, self.breaks = explode, linger_s, breaks
        self.n_steps = 0
        self.map = nn.Linear(shape.lookback, shape.horizon)

    def forward(self, inputs: Inputs) -> Tensor:
        self.n_steps += self.training
        if self.breaks and self.n_steps > 5:
            raise RuntimeError("the model is broken")
        outputs = self.map(inputs.past_target.transpose(1, 2)).transpose(1, 2).unsqueeze(-1)
        return outputs * torch.inf if self.explode else outputs

    def _apply(self, fn: Callable[..., Any], recurse: bool = True) -> Fragile:
        if self.n_steps:  # Lightning moves a model to the CPU when training is over
            time.sleep(self.linger_s)
        super()._apply(fn, recurse)
        return self


MODEL = Fragile
SPACE = Space(
    "tests.end_to_end.plugins.fragile",
    {
        "model.explode": Choice(False, True),
        "model.linger_s": 0.0,
        "model.breaks": False,
        "train.learning_rate": Float(1e-4, 1e-1, log=True),
        "train.windows_per_epoch": 256,
    },
)
