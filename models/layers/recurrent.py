"""Recurrent networks, and the one that forecasts step by step: an LSTM over the past that goes on through the horizon."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from datasets.windows.batch import Inputs
from models.base import WindowShape
from models.layers.sampling import StepFeatures


class LSTM(nn.Module):
    """The library's fused LSTM (Hochreiter and Schmidhuber, Neural Computation 1997) in float32: (R, T, n_inputs) to (R, T, D).

    A module of our own, for the library's cannot be compiled. Weights are those of ``nn.LSTM``, in its order and from its
    distribution, but for the second bias of each layer, which adds to the first.

    Args:
        n_inputs: Features of a step.
        width: D.
        n_layers: One above the other.
        dropout: Between layers.
    """

    def __init__(self, n_inputs: int, width: int, n_layers: int = 1, dropout: float = 0.0) -> None:
        super().__init__()
        self.width, self.n_layers, self.dropout = width, n_layers, dropout if n_layers > 1 else 0.0
        widths = [n_inputs, *[width] * (n_layers - 1)]
        self.inputs = nn.ParameterList(nn.Parameter(torch.empty(4 * width, size)) for size in widths)
        self.states = nn.ParameterList(nn.Parameter(torch.empty(4 * width, width)) for _ in widths)
        self.biases = nn.ParameterList(nn.Parameter(torch.empty(4 * width)) for _ in widths)
        for weight in self.parameters():
            nn.init.uniform_(weight, -(width**-0.5), width**-0.5)

    def start(self, n_rows: int) -> tuple[Float[Tensor, "layers R D"], Float[Tensor, "layers R D"]]:
        """The state before the first step: zeros."""
        zeros = self.biases[0].new_zeros(self.n_layers, n_rows, self.width)
        return zeros, zeros

    def forward(
        self,
        steps: Float[Tensor, "R T n"],
        state: tuple[Float[Tensor, "layers R D"], Float[Tensor, "layers R D"]] | None = None,
    ) -> tuple[Float[Tensor, "R T D"], tuple[Float[Tensor, "layers R D"], Float[Tensor, "layers R D"]]]:
        """What each step puts out, and the state after the last one.

        Args:
            steps: One after the other.
            state: Hidden state and cell of each layer before the first step; None starts from zeros.
        """
        state = self.start(len(steps)) if state is None else state
        weights: list[Tensor] = []
        for inputs, states, bias in zip(self.inputs, self.states, self.biases, strict=True):
            weights += [inputs, states, bias, torch.zeros_like(bias)]
        with torch.autocast(steps.device.type, enabled=False):
            outputs, *last = torch.lstm(
                steps.float(), state, weights, True, self.n_layers, self.dropout, self.training, False, True
            )
        return outputs, (last[0], last[1])


class AutoregressiveLSTM(nn.Module):
    """An LSTM whose input at each step is ``StepFeatures``: h_t = LSTM(h_{t-1}, x_t) (Salinas et al., IJF 2020, equation 1).

    ``taught`` reads the true values of the horizon, in one pass; ``sampled`` reads values that the caller draws from what the
    network put out. Both are in the units of the ``Inputs`` that they are given.

    Args:
        shape: The sizes of a window.
        joint: One row for all channels of a window, not one for each.
        width: D.
        n_layers: Of the LSTM.
        dropout: Between its layers.
    """

    def __init__(self, shape: WindowShape, *, joint: bool, width: int, n_layers: int, dropout: float) -> None:
        super().__init__()
        self.features = StepFeatures(shape, joint=joint)
        self.lstm = LSTM(self.features.n_features, width, n_layers, dropout)

    def taught(self, inputs: Inputs, future: Float[Tensor, "B H C"]) -> Float[Tensor, "B H G D"]:
        """What the network puts out at each step of the horizon, given the true values before it.

        Args:
            inputs: The past.
            future: The targets of the horizon, in the units of the inputs.
        """
        steps = torch.cat([self.features.past(inputs), self.features.horizon(inputs, future)], 2)
        hidden: Tensor = self.lstm(steps.flatten(0, 1))[0][:, -future.shape[1] :]
        return hidden.reshape(*steps.shape[:2], *hidden.shape[1:]).transpose(1, 2)

    def sampled(
        self, inputs: Inputs, n_paths: int, draw: Callable[[Float[Tensor, "B n G D"]], Float[Tensor, "B n C"]]
    ) -> Float[Tensor, "B n H C"]:
        """Paths of the horizon: each value that is drawn is an input of the steps after it.

        Args:
            inputs: The past.
            n_paths: n.
            draw: From what the network puts out at one step to the values of that step, in the units of the inputs. It is
                called once a step, in their order.
        """
        past, template = self.features.past(inputs), self.features.template(inputs)
        n_windows, n_groups = past.shape[:2]
        last = self.lstm(past.flatten(0, 1))[1]
        hidden, cell = (
            part.view(-1, n_windows, 1, n_groups, self.lstm.width).expand(-1, -1, n_paths, -1, -1).flatten(1, 3)
            for part in last
        )
        values: list[Tensor] = []
        for _ in range(template.shape[2]):
            steps = self.features.at(template, values, n_paths)
            outputs, (hidden, cell) = self.lstm(steps.flatten(0, 2).unsqueeze(1), (hidden, cell))
            values.append(draw(outputs.view(*steps.shape[:3], -1)))
        return torch.stack(values, 2)
