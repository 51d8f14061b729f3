"""Forecasters with a head for each step of a network that reads the values before it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import ClassVar, Protocol

import torch
from jaxtyping import Float
from torch import Tensor, nn

from datasets.windows.batch import Batch, Inputs
from models.base import Forecast, Forecaster, Use, WindowShape
from models.heads.base import Head
from models.heads.draws import Draws
from models.heads.point import PointHead
from models.layers.normalisation import Norm, WindowNorm, WindowStatistics
from models.layers.sampling import draw_step, in_parts, normalised


class StepNetwork(Protocol):
    """Such as ``AutoregressiveRNN``."""

    def taught(self, inputs: Inputs, future: Float[Tensor, "B H C"]) -> Float[Tensor, "B H G D"]:
        """What it puts out at each step of the horizon, given the true values before it."""

    def sampled(
        self, inputs: Inputs, n_paths: int, draw: Callable[[Float[Tensor, "B n G D"]], Float[Tensor, "B n C"]]
    ) -> Float[Tensor, "B n H C"]:
        """Paths of the horizon: each value that is drawn is an input of the steps after it."""


class AutoregressiveForecaster(Forecaster):
    """Teacher forcing in training, ancestral sampling in a forecast.

    One linear map turns what the network puts out at a step into the outputs of a head. ``training_loss`` is the head's, with
    the true values as inputs; ``predict`` draws step by step, n paths at once; ``forward`` feeds the location of each step
    back, and draws nothing: for a point head it is the forecast too. Level and spread of the window stay outside of the
    network, whatever is fed back.

    Args:
        shape: The sizes of a window.
        network: A module. Its groups are channels, or one for all of them.
        width: D, of what it puts out.
        joint: Whether there is one group.
        norm: See ``WindowNorm``.
    """

    teacher_forced: ClassVar[bool] = True
    uses: ClassVar[frozenset[Use]] = frozenset({"known", "static", "lags", "observed"})

    def __init__(self, shape: WindowShape, network: StepNetwork, *, width: int, joint: bool, norm: Norm) -> None:
        super().__init__(shape)
        self.network = network
        self.norm = WindowNorm(norm, shape.n_targets)
        self.projection = nn.Linear(width, shape.n_outputs * (shape.n_targets if joint else 1))

    def forward(self, inputs: Inputs) -> Float[Tensor, "B H C O"]:
        """The outputs along the path on which each value is the location of its step."""
        seen, statistics = normalised(self.norm, inputs)
        found: list[Tensor] = []
        self.network.sampled(seen, 1, partial(self._location, found, statistics))
        return torch.cat(found, 1)

    def training_loss(self, batch: Batch, head: Head) -> Float[Tensor, "B H C"]:
        """The loss of each future value, given the true ones before it."""
        seen, statistics = normalised(self.norm, batch.inputs)
        hidden = self.network.taught(seen, self.norm.normalise(batch.future_target, statistics))
        return head.loss(self._outputs(hidden, statistics), batch)

    def predict(self, inputs: Inputs, head: Head, n_paths: int, draws: Draws) -> Forecast:
        """Paths that are drawn step by step; each is one draw of all steps. A point head draws nothing."""
        if isinstance(head, PointHead):
            return super().predict(inputs, head, n_paths, draws)

        def sample(inputs: Inputs, draws: Draws) -> Float[Tensor, "B n H C"]:
            seen, statistics = normalised(self.norm, inputs)
            values: list[Tensor] = []

            def draw(hidden: Float[Tensor, "B n G D"]) -> Float[Tensor, "B n C"]:
                values.append(draw_step(head, self._outputs(hidden, statistics), inputs, draws))
                return self.norm.normalise(values[-1], statistics)

            self.network.sampled(seen, n_paths, draw)
            return torch.stack(values, 2)

        return Forecast(paths=in_parts(sample, inputs, draws, n_paths * self.shape.n_targets))

    def _location(
        self, found: list[Tensor], statistics: WindowStatistics, hidden: Float[Tensor, "B 1 G D"]
    ) -> Float[Tensor, "B 1 C"]:
        # No closure: the tests' checks of shapes would keep one from being compiled.
        found.append(self._outputs(hidden, statistics))
        return self.norm.normalise(found[-1][..., 0].float(), statistics)

    def _outputs(self, hidden: Float[Tensor, "B T G D"], statistics: WindowStatistics) -> Float[Tensor, "B T C O"]:
        outputs: Tensor = self.projection(hidden)
        return self.norm.restore(outputs.view(*hidden.shape[:2], self.shape.n_targets, self.shape.n_outputs), statistics)
