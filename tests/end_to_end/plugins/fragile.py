"""A model that goes wrong on demand, and its space: what a plug-in from outside this repository looks like."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any, Literal

import torch
from torch import Tensor, nn

from datasets.windows.batch import Inputs
from models.base import Forecaster, WindowShape
from search_spaces.base import Choice, Float, Space


class Fragile(Forecaster):
    """One linear map; may diverge, break or take its process along after some steps, or take its time to go."""

    def __init__(
        self, shape: WindowShape, *, fault: Literal["none", "diverge", "break", "die"] = "none", linger_s: float = 0.0
    ) -> None:
        super().__init__(shape)
        self.fault, self.linger_s = fault, linger_s
        self.n_steps = 0
        self.map = nn.Linear(shape.lookback, shape.horizon)

    def forward(self, inputs: Inputs) -> Tensor:
        self.n_steps += self.training
        outputs = self.map(inputs.past_target.transpose(1, 2)).transpose(1, 2).unsqueeze(-1)
        match self.fault:
            case "diverge":
                return outputs * torch.inf
            case "break" if self.n_steps > 5:
                raise RuntimeError("the model is broken")
            case "die" if self.n_steps > 5:
                os.kill(os.getpid(), signal.SIGKILL)
        return outputs

    def _apply(self, fn: Callable[..., Any], recurse: bool = True) -> Fragile:
        if self.n_steps and self.fault == "none":  # Lightning moves a model to the CPU when training is over
            time.sleep(self.linger_s)
        super()._apply(fn, recurse)
        return self


MODEL = Fragile
SPACE = Space(
    "tests.end_to_end.plugins.fragile",
    {
        "model.fault": Choice("none", "diverge", "die"),
        "model.linger_s": 0.0,
        "train.learning_rate": Float(1e-4, 1e-1, log=True),
        "train.windows_per_epoch": 256,
    },
    baseline={"model.fault": "diverge"},
)
