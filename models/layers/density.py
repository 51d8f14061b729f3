"""Forecasters that bring a joint density of the channels of each step, conditioned on an LSTM over the steps before it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from datasets.windows.batch import Batch, Inputs
from models.base import Forecast, Forecaster, Use, WindowShape
from models.heads.base import Head
from models.heads.draws import Draws
from models.layers.normalisation import Norm, WindowNorm
from models.layers.recurrent import AutoregressiveRNN
from models.layers.sampling import in_parts, normalised


class StepDensity(nn.Module, ABC):
    """The joint density of the C values of a step, given a condition of width D."""

    is_likelihood: ClassVar[bool]
    """Whether ``losses`` are -log of the density, which moves with the units of the values."""

    @abstractmethod
    def losses(self, values: Float[Tensor, "B H C"], condition: Float[Tensor, "B H D"]) -> Float[Tensor, "B H C"]:
        """The shares of the channels in the loss of their step: they sum to it."""

    @abstractmethod
    def draw(self, condition: Float[Tensor, "B n D"], draws: Draws) -> Float[Tensor, "B n C"]:
        """The values of one step, for each of n paths."""

    @abstractmethod
    def centre(self, condition: Float[Tensor, "B n D"]) -> Float[Tensor, "B n C"]:
        """What comes out where all noise is 0."""


class DensityForecaster(Forecaster):
    """h_t = LSTM(h_{t-1}, x_t) with x_t of ``StepFeatures`` for all channels together; z_t ~ density(. | A h_t + b).

    ``training_loss`` reads the true values before each step; ``predict`` draws step by step, n paths at once, and feeds them
    back; ``forward`` feeds the centre of each step back, and draws nothing. Level and spread of the window stay outside.

    A density of all channels needs a value for each: where one of the future was missing, what fills it stands in the condition
    of the others; its own share is the caller's to leave out.

    Args:
        shape: The sizes of a window.
        density: Of a step, under a condition of width ``condition_width``.
        width: Of the LSTM.
        n_layers: Of the LSTM.
        dropout: Between its layers.
        condition_width: D.
        norm: See ``WindowNorm``.
    """

    heads: ClassVar[tuple[str, ...]] = ("own",)
    teacher_forced: ClassVar[bool] = True
    uses: ClassVar[frozenset[Use]] = frozenset({"known", "static", "lags", "observed"})

    def __init__(
        self,
        shape: WindowShape,
        density: StepDensity,
        *,
        width: int,
        n_layers: int,
        dropout: float,
        condition_width: int,
        norm: Norm,
    ) -> None:
        super().__init__(shape)
        self.network = AutoregressiveRNN("LSTM", shape, joint=True, width=width, n_layers=n_layers, dropout=dropout)
        self.condition = nn.Linear(width, condition_width)
        self.density = density
        self.norm = WindowNorm(norm, shape.n_targets)

    def forward(self, inputs: Inputs) -> Float[Tensor, "B H C 1"]:
        """The path on which nothing is drawn."""
        seen, statistics = normalised(self.norm, inputs)
        path = self.network.sampled(seen, 1, lambda hidden: self.density.centre(self.condition(hidden.squeeze(2))))
        return self.norm.restore(path.squeeze(1).unsqueeze(-1), statistics)

    def training_loss(self, batch: Batch, head: Head) -> Float[Tensor, "B H C"]:
        """The shares of the channels in the loss of each step, given the true values before it; a likelihood's are in nats, of
        the values as they are scaled."""
        seen, statistics = normalised(self.norm, batch.inputs)
        future = self.norm.normalise(batch.future_target, statistics)
        condition = self.condition(self.network.taught(seen, future).squeeze(2))
        if self.density.is_likelihood:
            scale = self.norm.restore(torch.zeros_like(future[:, :1, :, None].expand(-1, -1, -1, 2)), statistics)
            return self.density.losses(future, condition) + scale[..., 1]
        # A loss in units of the network would have a norm learn units in which it is small.
        return self.density.losses(future.detach(), condition)

    def predict(self, inputs: Inputs, head: Head, n_paths: int, draws: Draws) -> Forecast:
        """Paths that are drawn step by step; each is one draw of all steps and channels."""

        def sample(inputs: Inputs, draws: Draws) -> Float[Tensor, "B n H C"]:
            seen, statistics = normalised(self.norm, inputs)
            paths = self.network.sampled(
                seen, n_paths, lambda hidden: self.density.draw(self.condition(hidden.squeeze(2)), draws)
            )
            return self.norm.restore(paths.flatten(1, 2).unsqueeze(-1), statistics).view_as(paths)

        return Forecast(paths=in_parts(sample, inputs, draws, n_paths))
