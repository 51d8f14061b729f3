"""Recurrent networks as fused kernels that compile to one graph."""

from __future__ import annotations

from typing import Literal, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor, nn

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
            else:
                states, *last = torch.lstm(steps, state, weights, *options)
        return states, tuple(last)
