"""LSTNet: a convolution, a recurrence over steps, one over periods, and a linear autoregression around them.

Lai, Chang, Yang and Liu, "Modeling Long- and Short-Term Temporal Patterns with Deep Neural Networks", SIGIR 2018.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from datasets.windows.batch import Inputs
from models.base import Forecaster, Use, WindowShape
from models.layers.arguments import at_least
from models.layers.dropout import Dropout
from models.layers.highway import AutoregressiveHighway
from models.layers.normalisation import WindowNorm
from models.layers.recurrent import Recurrent


class LSTNet(Forecaster):
    """LSTNet with skip connections (Lai et al., SIGIR 2018, section 3), for many channels at once.

    - Convolution: filters over all channels, h = ReLU(W * X + b), with zeros before the past, so that steps stay (equation 1).
    - A GRU reads the filtered steps; its last state counts (equation 2).
    - A skip-GRU does so for each phase of a period: its state goes on from one period before (equation 3).
    - One linear map of the last state and of the skip states of the last period (equation 4), here to the whole horizon.
    - The highway, a linear autoregression that all channels share, is added (equations 7 and 8).

    Departures from the paper: the horizon comes at once, where the paper trains one network for one step at a distance; a GRU's
    candidate is squashed by tanh, not by ReLU, as in the authors' code, so that fused kernels serve; the skip-GRU begins with
    the first whole period; a period is at most half of the lookback, since it takes two for a state to go on; a norm of the
    window around the network, off by default.

    Args:
        shape: The sizes of a window. Calendar features and covariates are not used.
        n_filters: Of the convolution.
        kernel: Its steps.
        width: Of the state of the GRU.
        skip: Steps of a period.
        skip_width: Of the state of the skip-GRU.
        highway: The last steps that the autoregression reads; at most all.
        dropout: On filtered steps and on states.
        norm: Level and spread of the observed past, which the network does not see: none, last (value), revin (see WindowNorm).

    Raises:
        ValueError: an argument is out of its range.
    """

    uses: ClassVar[frozenset[Use]] = frozenset({"observed"})

    def __init__(
        self,
        shape: WindowShape,
        *,
        n_filters: int = 100,
        kernel: int = 6,
        width: int = 100,
        skip: int = 24,
        skip_width: int = 5,
        highway: int = 24,
        dropout: float = 0.2,
        norm: Literal["none", "last", "revin"] = "none",
    ) -> None:
        super().__init__(shape)
        at_least(1, n_filters=n_filters, kernel=kernel, width=width, skip=skip, skip_width=skip_width, highway=highway)
        self.skip = max(min(skip, shape.lookback // 2), 1)
        self.norm = WindowNorm(norm, shape.n_targets)
        self.convolution = CausalConv(shape.n_targets, n_filters, min(kernel, shape.lookback))
        self.steps = Recurrent("GRU", n_filters, width)
        self.periods = Recurrent("GRU", n_filters, skip_width)
        self.projection = nn.Linear(width + self.skip * skip_width, shape.horizon * shape.n_targets * shape.n_outputs)
        self.highway = AutoregressiveHighway(highway, shape.lookback, shape.horizon, shape.n_outputs)
        self.dropout = Dropout(dropout)

    def forward(self, inputs: Inputs) -> Float[Tensor, "B H C O"]:
        """The outputs for all steps of the horizon in one pass."""
        past, statistics = self.norm(inputs.past_target, inputs.past_observed)
        filtered = self.dropout(F.relu(self.convolution(past)))
        states = torch.cat([self.steps(filtered)[0][:, -1], self.last_period(filtered)], -1)
        outputs: Tensor = self.projection(self.dropout(states))
        direct = outputs.view(len(past), self.shape.horizon, self.shape.n_targets, self.shape.n_outputs)
        return self.norm.restore(direct + self.highway(past), statistics)

    def last_period(self, filtered: Float[Tensor, "B L F"]) -> Float[Tensor, "B phases_times_width"]:
        """The states of the skip-GRU at the last step of each phase, one phase after the other."""
        n_windows, lookback, width = filtered.shape
        n_periods = lookback // self.skip
        phases = filtered[:, -n_periods * self.skip :].reshape(n_windows, n_periods, self.skip, width).transpose(1, 2)
        states: Tensor = self.periods(phases.flatten(0, 1))[0]
        return states[:, -1].reshape(n_windows, -1)


class CausalConv(nn.Module):
    """A convolution over all channels whose last step is the current one: (B, T, n_inputs) to (B, T, n_filters).

    It is one linear map of the last ``kernel`` steps, with zeros before the first.
    """

    def __init__(self, n_inputs: int, n_filters: int, kernel: int) -> None:
        super().__init__()
        self.kernel = kernel
        self.linear = nn.Linear(n_inputs * kernel, n_filters)

    def forward(self, values: Float[Tensor, "B T n"]) -> Float[Tensor, "B T F"]:
        """The filtered series."""
        padded = F.pad(values, (0, 0, self.kernel - 1, 0))
        outputs: Tensor = self.linear(padded.unfold(1, self.kernel, 1).flatten(2))
        return outputs


MODEL = LSTNet
