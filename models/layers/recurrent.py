"""A recurrent layer that is one fused kernel, in any precision, and compiles."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Lstm(nn.Module):
    """One layer of the library's LSTM, with its parameters and first weights, and with first states that are given.

    It computes in float32 under autocast, where the library's kernel for a CPU refuses bfloat16; and it is a module of its own,
    since torch.compile refuses ``nn.LSTM``.

    Args:
        n_inputs: n.
        width: D.
    """

    weight_ih: Tensor
    weight_hh: Tensor
    bias_ih: Tensor
    bias_hh: Tensor

    def __init__(self, n_inputs: int, width: int) -> None:
        super().__init__()
        for name, weight in nn.LSTM(n_inputs, width).named_parameters():
            self.register_parameter(name.removesuffix("_l0"), weight)

    def forward(
        self, steps: Float[Tensor, "B T n"], hidden: Float[Tensor, "B D"], cell: Float[Tensor, "B D"]
    ) -> tuple[Float[Tensor, "B T D"], Float[Tensor, "B D"], Float[Tensor, "B D"]]:
        """The output of each step, then the last hidden and cell states."""
        with torch.autocast(steps.device.type, enabled=False):
            steps, hidden, cell = steps.float(), hidden.float(), cell.float()
            if steps.device.type == "cpu" and torch.compiler.is_compiling():  # the compiler cannot trace this kernel there
                return self._unrolled(steps, hidden, cell)
            weights = [self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh]
            states = (hidden.unsqueeze(0), cell.unsqueeze(0))
            outputs, hidden, cell = torch.lstm(steps, states, weights, True, 1, 0.0, self.training, False, True)
        return outputs, hidden.squeeze(0), cell.squeeze(0)

    def _unrolled(self, steps: Tensor, hidden: Tensor, cell: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        outputs = []
        for inputs in nn.functional.linear(steps, self.weight_ih, self.bias_ih + self.bias_hh).unbind(1):
            opened, kept, new, shown = (inputs + hidden @ self.weight_hh.mT).chunk(4, -1)
            cell = kept.sigmoid() * cell + opened.sigmoid() * new.tanh()
            hidden = shown.sigmoid() * cell.tanh()
            outputs.append(hidden)
        return torch.stack(outputs, 1), hidden, cell
