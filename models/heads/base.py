"""The contract of a head: what a model's O outputs mean."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor, nn

from datasets.windows.batch import Batch, Inputs
from models.base import Forecast


class Head(nn.Module, ABC):
    """Turns outputs into a loss for each future value, and into a forecast."""

    n_outputs: int
    """O: how many numbers a model must put out for each future value."""

    @abstractmethod
    def loss(self, outputs: Float[Tensor, "B H C O"], batch: Batch) -> Float[Tensor, "B H C"]:
        """The loss of each future value; whether it was observed is the caller's matter."""

    @abstractmethod
    def forecast(
        self, outputs: Float[Tensor, "B H C O"], inputs: Inputs, n_paths: int, generator: torch.Generator | None
    ) -> Forecast:
        """The forecast: one path from a point head, ``n_paths`` from a distribution."""
