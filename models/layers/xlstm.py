"""Extended long short-term memory (Beck et al., NeurIPS 2024): gates that are exponentials, and a memory that is a matrix.

Letters: T steps, D numbers of each, N heads, E numbers of a head.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from models.layers.dropout import Dropout
from models.layers.linear import GroupedLinear

Cell = Literal["slstm", "mlstm"]

_KERNEL = 4
_LARGEST = 80.0
"""Float32 holds e to this power, and its inverse; what is divided by more is 0 all the same."""
_BLOCK = 4
"""Numbers of each block of the maps to queries, keys and values; 2 where the width is odd."""


class XLSTMStack(nn.Sequential):
    """Residual blocks of one kind, then a layer norm (section 2.4).

    Departures from the authors' code: norms and feed-forward networks have offsets, maps to queries, keys and values have none;
    a feed-forward network is 4/3 as wide, as in the paper, where the code takes 1.3 and rounds up to multiples of 64; linear
    maps start as the library's do.

    Args:
        cell: slstm: a memory of scalars, step by step, then a gated feed-forward network. mlstm: a memory that is a matrix, for
            all steps at once, between a map to twice the width and one back.
        n_heads: N.
        head_width: D / N, 2 or more.
        n_blocks: Of them.
        dropout: On what each block adds.
    """

    def __init__(self, cell: Cell, n_heads: int, head_width: int, n_blocks: int, dropout: float) -> None:
        super().__init__()
        width = n_heads * head_width
        for block in range(n_blocks):
            layers: list[nn.Module]
            if cell == "slstm":
                layers = [ScalarLayer(width, n_heads, block / max(n_blocks - 1, 1)), GatedFeedForward(width)]
            else:
                layers = [MatrixLayer(width, n_heads)]
            self.extend([Residual(width, layer, dropout) for layer in layers])
        self.append(nn.LayerNorm(width))


class Residual(nn.Module):
    """What a layer makes of the normed steps is added to them."""

    def __init__(self, width: int, layer: nn.Module, dropout: float) -> None:
        super().__init__()
        self.norm, self.layer, self.dropout = nn.LayerNorm(width), layer, Dropout(dropout)

    def forward(self, steps: Float[Tensor, "B T D"]) -> Float[Tensor, "B T D"]:
        """Of the same shape."""
        added: Tensor = self.dropout(self.layer(self.norm(steps)))
        return steps + added


class ScalarLayer(nn.Module):
    """The sLSTM between its convolution and the norm of its heads (figure 10).

    Args:
        width: D.
        n_heads: N.
        depth: Of the block in its stack, from 0 to 1: how fast the biases of forget gates fall.
    """

    def __init__(self, width: int, n_heads: int, depth: float) -> None:
        super().__init__()
        self.convolution = CausalConvolution(width)
        size = width // n_heads
        self.gates, self.values = (GroupedLinear(n_heads, size, 2 * size, bias=False) for _ in range(2))
        self.cell = ScalarMemory(width, n_heads, depth)
        self.norm = nn.GroupNorm(n_heads, width)

    def forward(self, steps: Float[Tensor, "B T D"]) -> Float[Tensor, "B T D"]:
        """What the heads put out after each step."""
        gates = within_blocks(self.gates, F.silu(self.convolution(steps)))
        hidden = self.cell(torch.cat([gates, within_blocks(self.values, steps)], -1))
        normed: Tensor = self.norm(hidden.flatten(0, 1)).view_as(hidden)
        return normed


class ScalarMemory(nn.Module):
    """The sLSTM (equations 8 to 17), whose heads do not see each other.

    i = exp(i~), f = sigmoid(f~), z = tanh(z~), o = sigmoid(o~), each of the input and of the head's last output; c and n are
    what f keeps of c and n, and what i adds of z and of 1; the output is o c / n. c and n are divided by exp(m) with
    m_t = max(log f + m_{t-1}, i~), so that no exponential is large; c / n is the same.

    Args:
        width: D.
        n_heads: N.
        depth: See ``ScalarLayer``. A forget gate's bias starts at 5 - 12 s^(0.3 + 1.3 depth) for s from 0 to 1 within a head,
            as in the authors' code; all others, and the weights of the last output, start at 0.
    """

    def __init__(self, width: int, n_heads: int, depth: float) -> None:
        super().__init__()
        size = width // n_heads
        self.recurrent = nn.Parameter(torch.zeros(n_heads, size, 4 * size))
        self.bias = nn.Parameter(torch.zeros(n_heads, 1, 4 * size))
        with torch.no_grad():
            self.bias[:, :, size : 2 * size] = 5 - 12 * torch.linspace(0, 1, size) ** (0.3 + 1.3 * depth)

    def forward(self, inputs: Float[Tensor, "B T N gates"]) -> Float[Tensor, "B T D"]:
        """The output after each step.

        Args:
            inputs: What the input adds to i~, f~, z~ and o~, one after the other, for each head.
        """
        raw = inputs.float().permute(1, 2, 0, 3).contiguous() + self.bias  # (T, N, B, 4 E), for one product of all heads a step
        raw_in, raw_forget, raw_value, raw_out = raw[0].chunk(4, -1)
        level, cell, total = raw_in, raw_value.tanh(), torch.ones_like(raw_in)
        outputs = [raw_out.sigmoid() * cell]
        with torch.autocast(inputs.device.type, enabled=False):
            for step in raw[1:]:
                raw_in, raw_forget, raw_value, raw_out = torch.baddbmm(step, outputs[-1], self.recurrent).chunk(4, -1)
                carried = F.logsigmoid(raw_forget) + level
                level = torch.maximum(carried, raw_in)
                kept, added = (carried - level).exp(), (raw_in - level).exp()
                cell, total = kept * cell + added * raw_value.tanh(), kept * total + added
                outputs.append(raw_out.sigmoid() * cell / total)
        return torch.stack(outputs).permute(2, 0, 1, 3).flatten(2)


class MatrixLayer(nn.Module):
    """The mLSTM at twice the width, between its convolution and a gate (figure 11).

    Args:
        width: D.
        n_heads: N.
    """

    def __init__(self, width: int, n_heads: int) -> None:
        super().__init__()
        inner = 2 * width
        self.n_heads = n_heads
        self.up, self.down = nn.Linear(width, 2 * inner), nn.Linear(inner, width)
        self.convolution = CausalConvolution(inner)
        size = math.gcd(inner, _BLOCK)
        self.match = GroupedLinear(inner // size, size, 2 * size, bias=False)
        self.value = GroupedLinear(inner // size, size, size, bias=False)
        self.gates = nn.Linear(3 * inner, 2 * n_heads)
        self.norm = nn.GroupNorm(n_heads, inner)
        self.skip = nn.Parameter(torch.ones(inner))
        with torch.no_grad():
            self.gates.weight.zero_()
            self.gates.bias.copy_(torch.cat([0.1 * torch.randn(n_heads), torch.linspace(3, 6, n_heads)]))

    def forward(self, steps: Float[Tensor, "B T D"]) -> Float[Tensor, "B T D"]:
        """What the memory gives for each step, through the gate."""
        read, gate = self.up(steps).chunk(2, -1)
        seen = F.silu(self.convolution(read))
        queries, keys = (part.flatten(2) for part in within_blocks(self.match, seen).chunk(2, -1))
        values = within_blocks(self.value, read).flatten(2)
        raw_in, raw_forget = self.gates(torch.cat([queries, keys, values], -1)).mT.chunk(2, 1)
        queries, keys, values = (
            part.view(*part.shape[:2], self.n_heads, -1).transpose(1, 2) for part in (queries, keys, values)
        )
        found = matrix_memory(queries, keys, values, raw_in, raw_forget).transpose(1, 2).flatten(2)
        normed: Tensor = self.norm(found.flatten(0, 1)).view_as(found)
        outputs: Tensor = self.down((normed + self.skip * seen) * F.silu(gate))
        return outputs


def matrix_memory(
    queries: Float[Tensor, "B N T E"],
    keys: Float[Tensor, "B N T E"],
    values: Float[Tensor, "B N T E"],
    raw_in: Float[Tensor, "B N T"],
    raw_forget: Float[Tensor, "B N T"],
) -> Float[Tensor, "B N T E"]:
    """What the mLSTM (equations 19 to 27) reads out after each step, without its output gate; all steps at once (appendix A.3).

    C and n are what f = sigmoid(f~) keeps of C and n, and what i = exp(i~) adds of v k' and k, with k over sqrt(E); the output
    is C q / max(abs(n q), 1). Row t of the weights is that of each step s <= t in C_t, divided by the largest, exp(m_t).
    """
    with torch.autocast(queries.device.type, enabled=False):
        kept = F.logsigmoid(raw_forget.float()).cumsum(-1)
        logs = kept.unsqueeze(-1) + (raw_in.float() - kept).unsqueeze(-2)
        later = torch.ones(logs.shape[-2:], dtype=torch.bool, device=logs.device).triu(1)
        logs = logs.masked_fill(later, -torch.inf)
        largest = logs.amax(-1, keepdim=True)
        matches = queries.float() @ keys.float().mT / keys.shape[-1] ** 0.5 * (logs - largest).exp()
        total = torch.maximum(matches.sum(-1, keepdim=True).abs(), (-largest).clamp(-_LARGEST, _LARGEST).exp())
        found: Tensor = matches / total @ values.float()
        return found


class GatedFeedForward(nn.Module):
    """gelu(A x) B x, mapped back: after an sLSTM, at 4/3 of its width (figure 10)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        inner = -(-4 * width // 3)
        self.up, self.down = nn.Linear(width, 2 * inner), nn.Linear(inner, width)

    def forward(self, steps: Float[Tensor, "B T D"]) -> Float[Tensor, "B T D"]:
        """Of the same shape."""
        gate, read = self.up(steps).chunk(2, -1)
        outputs: Tensor = self.down(F.gelu(gate) * read)
        return outputs


class CausalConvolution(nn.Module):
    """Of each number by itself, over the last four steps; zeros before the first one."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(_KERNEL, width).uniform_(-1, 1) / _KERNEL**0.5)
        self.bias = nn.Parameter(torch.empty(width).uniform_(-1, 1) / _KERNEL**0.5)

    def forward(self, steps: Float[Tensor, "B T D"]) -> Float[Tensor, "B T D"]:
        """Of the same shape."""
        padded = F.pad(steps, (0, 0, _KERNEL - 1, 0))
        total: Tensor = self.bias
        for first, weight in enumerate(self.weight):
            total = torch.addcmul(total, padded[:, first : first + steps.shape[1]], weight)
        return total


def within_blocks(layer: GroupedLinear, steps: Float[Tensor, "B T D"]) -> Float[Tensor, "B T G m"]:
    """Each step in blocks of numbers that lie side by side, each through its map."""
    rows = steps.reshape(-1, *layer.weight.shape[::2])
    mapped: Tensor = layer(rows)
    return mapped.view(*steps.shape[:2], *mapped.shape[1:])
