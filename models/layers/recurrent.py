"""Recurrent networks as fused kernels that compile to one graph, and the one that forecasts step by step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from datasets.windows.batch import Inputs
from models.base import WindowShape
from models.layers.sampling import StepFeatures

State: TypeAlias = tuple[Float[Tensor, "layers B D"], ...]
"""Between two steps: the hidden state of each layer; of an LSTM also its cell."""


class Recurrent(nn.RNNBase):
    """A GRU or an LSTM over the steps of a window: (B, T, n_inputs) to (B, T, width).

    The kernels and the weights are those of the library's modules of these names; called by themselves they do not break the
    graph of a compiled model, as those modules do.

    Args:
        kind: GRU (Cho et al., EMNLP 2014) or LSTM (Hochreiter and Schmidhuber, Neural Computation 1997, with forget gates).
        n_inputs: Numbers of each step.
        width: D, of the state.
        n_layers: Each reads the states of the one below.
        dropout: Between two layers.
    """

    def __init__(
        self, kind: Literal["GRU", "LSTM"], n_inputs: int, width: int, *, n_layers: int = 1, dropout: float = 0.0
    ) -> None:
        super().__init__(kind, n_inputs, width, n_layers, dropout=dropout if n_layers > 1 else 0.0, batch_first=True)

    def forward(self, steps: Float[Tensor, "B T n"], state: State | None = None) -> tuple[Float[Tensor, "B T D"], State]:
        """The state of the last layer after each step, and those of all layers after the last one.

        Args:
            steps: One after the other.
            state: Before the first step; None is zeros.
        """
        weights = [weight for weight in self._flat_weights if weight is not None]
        steps = steps.to(weights[0].dtype)  # the kernel wants one dtype; on a GPU autocast then chooses it for all
        if state is None:
            zeros = steps.new_zeros(self.num_layers, len(steps), self.hidden_size)
            state = (zeros,) if self.mode == "GRU" else (zeros, zeros)
        state = tuple(part.to(steps.dtype) for part in state)
        options = (True, self.num_layers, self.dropout, self.training, False, True)
        with torch.autocast("cpu", enabled=False):  # not every CPU has the kernel in bfloat16
            if self.mode == "GRU":
                states, *last = torch.gru(steps, state[0], weights, *options)
            elif steps.device.type == "cpu" and torch.compiler.is_compiling():
                states, *last = self._unrolled(steps, state, weights)
            else:
                states, *last = torch.lstm(steps, state, weights, *options)
        return states, tuple(last)

    def _unrolled(self, steps: Tensor, state: State, weights: list[Tensor]) -> list[Tensor]:
        """The LSTM step by step: its kernel for a CPU is none that a compiler can take a gradient of."""
        lasts: list[tuple[Tensor, Tensor]] = []
        for layer, (hidden, cell) in enumerate(zip(*state, strict=True)):
            from_input, from_state, *biases = weights[4 * layer : 4 * layer + 4]
            states = []
            for inputs in F.linear(steps, from_input, biases[0] + biases[1]).unbind(1):
                opened, kept, new, shown = (inputs + hidden @ from_state.mT).chunk(4, -1)
                cell = kept.sigmoid() * cell + opened.sigmoid() * new.tanh()
                hidden = shown.sigmoid() * cell.tanh()
                states.append(hidden)
            steps = torch.stack(states, 1)
            lasts.append((hidden, cell))
            if layer < self.num_layers - 1:
                steps = F.dropout(steps, self.dropout, self.training)
        return [steps, *(torch.stack(parts) for parts in zip(*lasts, strict=True))]


class AutoregressiveRNN(nn.Module):
    """A GRU or an LSTM whose input at each step is ``StepFeatures``: h_t = RNN(h_{t-1}, x_t).

    That is equation 1 of DeepAR (Salinas et al., IJF 2020).

    ``taught`` reads the true values of the horizon, in one pass; ``sampled`` reads values that the caller draws from what the
    network put out. Both are in the units of the ``Inputs`` that they are given.

    Args:
        kind: See ``Recurrent``.
        shape: The sizes of a window.
        joint: One row for all channels of a window, not one for each.
        width: D.
        n_layers: Each reads the states of the one below.
        dropout: Between two layers.
    """

    def __init__(
        self, kind: Literal["GRU", "LSTM"], shape: WindowShape, *, joint: bool, width: int, n_layers: int, dropout: float
    ) -> None:
        super().__init__()
        self.features = StepFeatures(shape, joint=joint)
        self.recurrent = Recurrent(kind, self.features.n_features, width, n_layers=n_layers, dropout=dropout)

    def taught(self, inputs: Inputs, future: Float[Tensor, "B H C"]) -> Float[Tensor, "B H G D"]:
        """What the network puts out at each step of the horizon, given the true values before it.

        Args:
            inputs: The past.
            future: The targets of the horizon, in the units of the inputs.
        """
        steps = torch.cat([self.features.past(inputs), self.features.horizon(inputs, future)], 2)
        hidden: Tensor = self.recurrent(steps.flatten(0, 1))[0][:, -future.shape[1] :]
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
        last = self.recurrent(past.flatten(0, 1))[1]
        state = tuple(
            part.view(-1, n_windows, 1, n_groups, self.recurrent.hidden_size).expand(-1, -1, n_paths, -1, -1).flatten(1, 3)
            for part in last
        )
        values: list[Tensor] = []
        for _ in range(template.shape[2]):
            steps = self.features.at(template, values, n_paths)
            outputs, state = self.recurrent(steps.flatten(0, 2).unsqueeze(1), state)
            values.append(draw(outputs.view(*steps.shape[:3], -1)))
        return torch.stack(values, 2)
