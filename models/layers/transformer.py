"""Encoder and decoder layers (Vaswani et al., NeurIPS 2017), around whatever attention they are given."""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from models.layers.arguments import one_of
from models.layers.dropout import Dropout


class FeedForward(nn.Module):
    """Two maps with an activation between, at each step by itself.

    Args:
        width: D.
        hidden: Width between the maps.
        activation: gelu or relu.
        dropout: After the activation.
        bias: Of the maps.
        output_bias: Whether the outer map has one too; a batch norm behind it would cancel it.

    Raises:
        ValueError: there is no such activation, or the dropout is out of its range.
    """

    def __init__(
        self, width: int, hidden: int, activation: str, dropout: float, *, bias: bool = True, output_bias: bool = True
    ) -> None:
        super().__init__()
        one_of(("gelu", "relu"), activation=activation)
        self.inner = nn.Linear(width, hidden, bias=bias)
        self.outer = nn.Linear(hidden, width, bias=bias and output_bias)
        self.activation = F.gelu if activation == "gelu" else F.relu
        self.dropout = Dropout(dropout)

    def forward(self, steps: Float[Tensor, "*B T D"]) -> Float[Tensor, "*B T D"]:
        """What to add to each step, but for the last dropout."""
        outputs: Tensor = self.outer(self.dropout(self.activation(self.inner(steps))))
        return outputs


class EncoderLayer(nn.Module):
    """Attention, of the steps to themselves or to a memory, and feed-forward; each is added to its input, then normed.

    Args:
        attention: Called with (queries, memory, *context).
        feed: Such as ``FeedForward``.
        width: D.
        dropout: On what is added.
        norm: Makes a norm of that width.
    """

    def __init__(
        self,
        attention: nn.Module,
        feed: nn.Module,
        width: int,
        dropout: float,
        *,
        norm: Callable[[int], nn.Module] = nn.LayerNorm,
    ) -> None:
        super().__init__()
        self.attention, self.feed = attention, feed
        self.norms = nn.ModuleList(norm(width) for _ in range(2))
        self.dropout = Dropout(dropout)

    def forward(
        self, steps: Float[Tensor, "B T D"], *context: Tensor, memory: Float[Tensor, "B S D"] | None = None
    ) -> Float[Tensor, "B T D"]:
        """As many steps as came. ``attention`` gets ``context`` as it is."""
        steps = self.norms[0](steps + self.dropout(self.attention(steps, steps if memory is None else memory, *context)))
        outputs: Tensor = self.norms[1](steps + self.dropout(self.feed(steps)))
        return outputs


class DecoderLayer(nn.Module):
    """Causal self-attention, attention to the encoder's output, feed-forward; each added, then layer-normed.

    Args:
        own: The self-attention; called with (queries, memory, *context), like ``cross``.
        cross: The attention to the encoder's output.
        feed: Such as ``FeedForward``.
        width: D.
        dropout: On what is added.
    """

    def __init__(self, own: nn.Module, cross: nn.Module, feed: nn.Module, width: int, dropout: float) -> None:
        super().__init__()
        self.own, self.cross, self.feed = own, cross, feed
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.dropout = Dropout(dropout)

    def forward(
        self, steps: Float[Tensor, "B T D"], memory: Float[Tensor, "B S D"], *context: Tensor
    ) -> Float[Tensor, "B T D"]:
        """As many steps as came."""
        steps = self.norms[0](steps + self.dropout(self.own(steps, steps, *context)))
        steps = self.norms[1](steps + self.dropout(self.cross(steps, memory, *context)))
        outputs: Tensor = self.norms[2](steps + self.dropout(self.feed(steps)))
        return outputs
