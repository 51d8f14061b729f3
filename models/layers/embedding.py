"""Values, positions and calendar features as vectors."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from models.layers.dropout import Dropout


def sinusoidal_positions(length: int, width: int) -> Float[Tensor, "length width"]:
    """sin(t / 10000^(2i / width)) at even places and the cosine at odd ones (Vaswani et al., NeurIPS 2017, section 3.5)."""
    rates = torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
    angles = torch.arange(length).unsqueeze(1) * rates
    return torch.stack([angles.sin(), angles.cos()], -1).flatten(1)[:, :width]


class CircularConv(nn.Module):
    """A convolution of kernel 3 along time that wraps around at the ends: (B, T, n_inputs) to (B, T, width).

    It is the sum of three linear maps, of the step before, the step itself and the step after, as one product over their
    concatenation: several times faster on a CPU than the library's convolution, and channels stay last.
    """

    def __init__(self, n_inputs: int, width: int, *, bias: bool = True) -> None:
        super().__init__()
        self.linear = nn.Linear(3 * n_inputs, width, bias=bias)
        nn.init.kaiming_normal_(self.linear.weight, mode="fan_in", nonlinearity="leaky_relu")

    def forward(self, values: Float[Tensor, "B T n"]) -> Float[Tensor, "B T D"]:
        """The filtered series."""
        outputs: Tensor = self.linear(torch.cat([values.roll(1, 1), values, values.roll(-1, 1)], -1))
        return outputs


class WindowEmbedding(nn.Module):
    """The sum of embeddings of each step: its values, its place in the window, its calendar features.

    The input representation of Zhou et al., AAAI 2021, appendix B, with calendar features as numbers under one linear map.

    Args:
        n_values: Channels of the series.
        n_known: Calendar features; may be 0.
        length: Steps of the window.
        width: D.
        dropout: On the sum.
        positions: Whether the place is embedded.
    """

    positions: Tensor | None

    def __init__(self, n_values: int, n_known: int, length: int, width: int, dropout: float, *, positions: bool = True) -> None:
        super().__init__()
        self.values = CircularConv(n_values, width)
        self.known = nn.Linear(n_known, width) if n_known else None
        self.register_buffer("positions", sinusoidal_positions(length, width) if positions else None, persistent=False)
        self.dropout = Dropout(dropout)

    def forward(self, values: Float[Tensor, "B T C"], known: Float[Tensor, "B T K"]) -> Float[Tensor, "B T D"]:
        """One vector a step."""
        embedded: Tensor = self.values(values)
        if self.positions is not None:
            embedded = embedded + self.positions
        if self.known is not None:
            embedded = embedded + self.known(known)
        outputs: Tensor = self.dropout(embedded)
        return outputs


class StaticEmbedding(nn.Module):
    """What never changes of a series: its numbers, and each category as a row of a table of width min(50, (n + 1) // 2).

    Args:
        n_numbers: S.
        cardinalities: How many values n each category has.
    """

    n_features: int
    """F."""

    def __init__(self, n_numbers: int, cardinalities: tuple[int, ...]) -> None:
        super().__init__()
        widths = [min(50, (n + 1) // 2) for n in cardinalities]
        self.tables = nn.ModuleList(nn.Embedding(n, width) for n, width in zip(cardinalities, widths, strict=True))
        self.n_features = n_numbers + sum(widths)

    def forward(self, numbers: Float[Tensor, "B S"], categories: Int[Tensor, "B G"]) -> Float[Tensor, "B F"]:
        """The numbers, then the categories in their order."""
        return torch.cat([numbers, *(table(categories[:, place]) for place, table in enumerate(self.tables))], -1)


class ChannelEmbedding(nn.Module):
    """Each channel as one vector: a linear map of its whole past, and another one of each known feature's past and future.

    The variate tokens of iTransformer (Liu et al., ICLR 2024, equation 1) and TimeXer (Wang et al., NeurIPS 2024). Targets and
    covariates share a map.

    Args:
        lookback: L.
        horizon: H.
        n_known: Known features; may be 0.
        width: D.
        dropout: On the vectors.
    """

    def __init__(self, lookback: int, horizon: int, n_known: int, width: int, dropout: float) -> None:
        super().__init__()
        self.values = nn.Linear(lookback, width)
        self.known = nn.Linear(lookback + horizon, width) if n_known else None
        self.dropout = Dropout(dropout)

    def forward(
        self, values: Float[Tensor, "B L n"], past_known: Float[Tensor, "B L K"], future_known: Float[Tensor, "B H K"]
    ) -> Float[Tensor, "B tokens D"]:
        """The n channels in their order, then the K known features."""
        tokens: Tensor = self.values(values.mT)
        if self.known is not None:
            tokens = torch.cat([tokens, self.known(torch.cat([past_known, future_known], 1).mT)], 1)
        outputs: Tensor = self.dropout(tokens)
        return outputs
