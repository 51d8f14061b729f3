"""The contract of a head: what a model's O outputs mean."""

from __future__ import annotations

from abc import ABC, abstractmethod

from jaxtyping import Float
from torch import Tensor, nn

from datasets.windows.batch import Batch, Inputs
from models.base import Forecast
from models.heads.draws import Draws

_WIDEST = 20.0
"""Bound of the log spread: from 2e-9 to 5e8, in units of the past."""


class Head(nn.Module, ABC):
    """Turns outputs into a loss for each future value, and into a forecast. It may have weights of its own.

    The first output of each value is its location, in the units of ``Inputs.past_target``. A second one, if there is one, is
    the logarithm of its spread in the same units. All further outputs have no unit. So whoever takes level and spread out of a
    window (``WindowNorm``) knows how to put them back, whatever the head.
    """

    n_outputs: int
    """O: how many numbers a model must put out for each future value."""

    @abstractmethod
    def loss(self, outputs: Float[Tensor, "B H C O"], batch: Batch) -> Float[Tensor, "B H C"]:
        """The loss of each future value; whether it was observed is the caller's matter.

        A head may draw while it trains, from torch's default generators, which training keys by step. In evaluation mode it
        draws nothing: the loss of a window then depends on the window alone.
        """

    @abstractmethod
    def forecast(self, outputs: Float[Tensor, "B H C O"], inputs: Inputs, n_paths: int, draws: Draws) -> Forecast:
        """The forecast: one path from a point head, ``n_paths`` from a distribution."""


def unpack(
    outputs: Float[Tensor, "B H C O"],
) -> tuple[Float[Tensor, "B H C"], Float[Tensor, "B H C"], Float[Tensor, "B H C rest"]]:
    """Location, log spread and the rest, in float32 whatever the network computed in; the log spread lies within 20 of 0."""
    outputs = outputs.float()
    return outputs[..., 0], bounded(outputs[..., 1], -_WIDEST, _WIDEST), outputs[..., 2:]


def bounded(numbers: Float[Tensor, "*shape"], low: float, high: float) -> Float[Tensor, "*shape"]:
    """Numbers within [low, high]. Beyond the bounds the gradient still passes, so that training finds the way back."""
    return numbers.detach().clamp(low, high) + (numbers - numbers.detach())
