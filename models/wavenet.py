"""WaveNet: gated causal convolutions whose reach doubles from layer to layer, mapped to the whole horizon.

Van den Oord, Dieleman, Zen, Simonyan, Vinyals, Graves, Kalchbrenner, Senior and Kavukcuoglu, "WaveNet: A Generative Model for
Raw Audio", arXiv:1609.03499, 2016.
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
from models.layers.normalisation import WindowNorm


class WaveNet(Forecaster):
    """WaveNet (van den Oord et al., arXiv:1609.03499, 2016), for many channels at once.

    - Each step becomes a vector: its values and calendar features through one linear map.
    - A layer is a causal convolution of kernel 2 with a gate, z = tanh(W_f * x) sigmoid(W_g * x) (equation 2). z through one
      linear map is added to its input, and through another to the skip connections (section 2.4). Dilations are 1, 2, 4, ...
      in each stack, until a stack covers the lookback. The paper gives no sizes: the defaults are those of GluonTS.
    - The sum of the skip connections at the origin goes through ReLU, a linear map, ReLU and a linear map (figure 4).

    Departures from the paper: a direct map in place of one step after the other (section 2.1) over quantised values (section
    2.2): the first of the last two maps gives a vector for each step of the horizon, to which the calendar of that step is
    added; the head says what the outputs mean. All channels are read and forecast at once, in place of one series. Dropout and
    a norm of the window, both off by default.

    Args:
        shape: The sizes of a window. K may be 0.
        width: Of the vector of each step, past and future.
        skip_width: Of the sum of the skip connections.
        n_stacks: How often the dilations start again at 1.
        dropout: On what each layer adds.
        norm: Level and spread of the observed past, which the network does not see: none, last (value), revin (see WindowNorm).

    Raises:
        ValueError: an argument is out of its range.
    """

    uses: ClassVar[frozenset[Use]] = frozenset({"covariates", "known", "observed"})

    def __init__(
        self,
        shape: WindowShape,
        *,
        width: int = 24,
        skip_width: int = 32,
        n_stacks: int = 1,
        dropout: float = 0.0,
        norm: Literal["none", "last", "revin"] = "none",
    ) -> None:
        super().__init__(shape)
        at_least(1, width=width, skip_width=skip_width, n_stacks=n_stacks)
        self.norm = WindowNorm(norm, shape.n_targets)
        self.embedding = nn.Linear(shape.n_targets + shape.n_past_covariates + shape.n_known, width)
        depth = max((shape.lookback - 1).bit_length(), 1)
        self.layers = nn.ModuleList(GatedLayer(width, dropout) for _ in range(n_stacks * depth - 1))
        self.last = Gate(width)
        self.n_whole = (n_stacks - 1) * depth
        self.depth = depth
        self.skip = nn.Linear(n_stacks * depth * width, skip_width)
        self.future = nn.Linear(skip_width, shape.horizon * width)
        self.known = nn.Linear(shape.n_known, width, bias=False) if shape.n_known else None
        self.projection = nn.Linear(width, shape.n_targets * shape.n_outputs)

    def forward(self, inputs: Inputs) -> Float[Tensor, "B H C O"]:
        """The outputs for all steps of the horizon in one pass."""
        past, statistics = self.norm(inputs.past_target, inputs.past_observed)
        steps = self.embedding(torch.cat([past, inputs.past_covariates, inputs.past_known], -1))
        future = self.future(self.skips(steps).relu()).unflatten(-1, (self.shape.horizon, -1))
        if self.known is not None:
            future = future + self.known(inputs.future_known)
        outputs: Tensor = self.projection(future.relu()).unflatten(-1, (self.shape.n_targets, self.shape.n_outputs))
        return self.norm.restore(outputs, statistics)

    def skips(self, steps: Float[Tensor, "B L D"]) -> Float[Tensor, "B S"]:
        """The sum of the skip connections at the last step: one map of what all gates let through there.

        What the origin reads of the last stack are the last step and every second before it, then every fourth, and so on.
        Only those are computed: of each pair of steps one is left, and a layer of any dilation reads neighbours.
        """
        gated = []
        for i, layer in enumerate(self.layers):
            if i < self.n_whole:
                dilation = 2 ** (i % self.depth)
                before = F.pad(steps, (0, 0, dilation, 0))[:, : steps.shape[1]]
            else:
                before, steps = pairs(steps)
            steps, through = layer(before, steps)
            gated.append(through[:, -1])
        gated.append(self.last(*pairs(steps))[:, -1])
        outputs: Tensor = self.skip(torch.cat(gated, -1))
        return outputs


def pairs(steps: Float[Tensor, "B T D"]) -> tuple[Float[Tensor, "B half D"], Float[Tensor, "B half D"]]:
    """Every second step, counted from the last one, and the step before each; zeros before the first."""
    padded = F.pad(steps, (0, 0, steps.shape[1] % 2, 0))
    return padded[:, ::2], padded[:, 1::2]


class Gate(nn.Module):
    """tanh(W_f * x) sigmoid(W_g * x) over a step and one before it (equation 2)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear = nn.Linear(2 * width, 2 * width)

    def forward(self, before: Float[Tensor, "B T D"], steps: Float[Tensor, "B T D"]) -> Float[Tensor, "B T D"]:
        """What goes through."""
        both: Tensor = self.linear(torch.cat([before, steps], -1))
        filtered, gate = both.chunk(2, -1)
        return filtered.tanh() * gate.sigmoid()


class GatedLayer(nn.Module):
    """A gate; what goes through is mapped and added to the steps."""

    def __init__(self, width: int, dropout: float) -> None:
        super().__init__()
        self.gate, self.residual, self.dropout = Gate(width), nn.Linear(width, width), Dropout(dropout)

    def forward(
        self, before: Float[Tensor, "B T D"], steps: Float[Tensor, "B T D"]
    ) -> tuple[Float[Tensor, "B T D"], Float[Tensor, "B T D"]]:
        """The steps of the next layer, and what went through the gate."""
        through = self.gate(before, steps)
        return steps + self.dropout(self.residual(through)), through


MODEL = WaveNet
