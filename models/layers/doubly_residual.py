"""The double residual of N-BEATS and N-HiTS: blocks that explain the past, and forecast from what they explained."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor, nn

from datasets.windows.batch import Inputs
from models.base import Forecaster, Use, WindowShape
from models.layers.normalisation import Norm, WindowNorm


class DoublyResidualForecaster(Forecaster):
    """Each channel by itself, from its past alone, by blocks of which all channels share the weights.

    Args:
        shape: The sizes of a window.
        norm: See ``WindowNorm``.
    """

    uses: ClassVar[frozenset[Use]] = frozenset({"observed"})
    stacks: DoublyResidual

    def __init__(self, shape: WindowShape, norm: Norm) -> None:
        super().__init__(shape)
        self.norm = WindowNorm(norm, shape.n_targets)

    def forward(self, inputs: Inputs) -> Float[Tensor, "B H C O"]:
        """The outputs of each channel from its own past."""
        past, statistics = self.norm(inputs.past_target, inputs.past_observed)
        outputs: Tensor = self.stacks(past.mT).transpose(1, 2)
        return self.norm.restore(outputs, statistics)


class DoublyResidual(nn.Module):
    """Blocks in a row; each sees the past less what those before it explained (Oreshkin et al., ICLR 2020, section 3.2).

    x_(l+1) = x_l - backcast_l, and the forecast is the sum of all forecasts.

    Args:
        blocks: Each gives a backcast, or none if nothing comes after it, and a forecast.
        n_passes: Each block is applied so many times in a row: blocks of one stack that share their weights.
    """

    def __init__(self, blocks: Iterable[BasisBlock], n_passes: int = 1) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks)
        self.n_passes = n_passes

    def forward(self, past: Float[Tensor, "*B L"]) -> Float[Tensor, "*B H O"]:
        """The outputs for all steps of the horizon."""
        forecasts = []
        for block in self.blocks:
            for _ in range(self.n_passes):
                backcast, forecast = block(past)
                forecasts.append(forecast)
                past = past if backcast is None else past - backcast
        return torch.stack(forecasts).sum(0)


def without_offset(n_inputs: int, n_outputs: int) -> nn.Linear:
    """A linear map."""
    return nn.Linear(n_inputs, n_outputs, bias=False)


class BasisBlock(nn.Module):
    """A network gives coefficients; a basis makes a series of them (Oreshkin et al., ICLR 2020, equation 1).

    Args:
        network: L steps to a vector of ``width``.
        width: Of that vector.
        backcast: Maps its coefficients, as many as its ``in_features`` says, to L steps; None if nothing reads the backcast.
        forecast: The same to H steps.
        n_outputs: O; each has coefficients of its own.
        layer: Makes a map from so many numbers to so many, for the coefficients; linear in the paper.
    """

    def __init__(
        self,
        network: nn.Module,
        width: int,
        backcast: Expansion | None,
        forecast: Expansion,
        n_outputs: int,
        layer: Callable[[int, int], nn.Module] = without_offset,
    ) -> None:
        super().__init__()
        self.network, self.n_outputs = network, n_outputs
        self.backcast, self.forecast = backcast, forecast
        self.past = None if backcast is None else layer(width, backcast.in_features)
        self.future = layer(width, n_outputs * forecast.in_features)

    def forward(self, past: Float[Tensor, "*B L"]) -> tuple[Float[Tensor, "*B L"] | None, Float[Tensor, "*B H O"]]:
        """What the block explains of the past, and what it adds to the forecast."""
        hidden = self.network(past)
        future = self.future(hidden)
        forecast = self.forecast(future.view(*future.shape[:-1], self.n_outputs, -1)).mT
        return (None if self.past is None or self.backcast is None else self.backcast(self.past(hidden))), forecast


class Basis(nn.Module):
    """A basis that is not learned: coefficients times fixed series.

    Args:
        series: One row for each coefficient.
    """

    series: Tensor

    def __init__(self, series: Float[Tensor, "n T"]) -> None:
        super().__init__()
        self.in_features = len(series)
        self.register_buffer("series", series, persistent=False)

    def forward(self, coefficients: Float[Tensor, "*B n"]) -> Float[Tensor, "*B T"]:
        """The weighted sum of the series."""
        return coefficients @ self.series


Expansion: TypeAlias = nn.Linear | Basis
"""From coefficients to a series: learned or not."""

MakeBlock: TypeAlias = Callable[[Expansion | None, Expansion], BasisBlock]
"""A block from what expands its backcast, if it has one, and its forecast."""


def generic(shape: WindowShape, make: MakeBlock, n_blocks: int, n_coefficients: int) -> DoublyResidual:
    """Blocks with learned bases and weights of their own (Oreshkin et al., ICLR 2020, section 3.3)."""
    last = n_blocks - 1
    return DoublyResidual(
        make(nn.Linear(n_coefficients, shape.lookback) if i < last else None, nn.Linear(n_coefficients, shape.horizon))
        for i in range(n_blocks)
    )


def interpretable(shape: WindowShape, trend: MakeBlock, seasonality: MakeBlock, n_blocks: int, degree: int) -> DoublyResidual:
    """A stack over polynomials, then one over waves; the blocks of each share their weights (section 3.3)."""
    past, future = shape.lookback, shape.horizon
    return DoublyResidual(
        [
            trend(Basis(polynomials(past, degree)), Basis(polynomials(future, degree))),
            seasonality(Basis(harmonics(past)) if n_blocks > 1 else None, Basis(harmonics(future))),
        ],
        n_passes=n_blocks,
    )


def polynomials(length: int, degree: int) -> Float[Tensor, "n length"]:
    """1, t, ..., t^degree at t = 0, 1 / length, ..., (length - 1) / length (equation 2)."""
    return (torch.arange(length) / length) ** torch.arange(degree + 1).unsqueeze(1)


def harmonics(length: int) -> Float[Tensor, "n length"]:
    """1, then cos(2 pi i t) and then sin(2 pi i t) for i = 1, ..., length // 2 - 1, at the same t (equation 3)."""
    angles = 2 * torch.pi * torch.arange(1, max(length // 2, 1)).unsqueeze(1) * (torch.arange(length) / length)
    return torch.cat([torch.ones(1, length), angles.cos(), angles.sin()])


def perceptron(n_inputs: int, width: int, n_layers: int) -> nn.Sequential:
    """Linear maps to ``width``, each with ReLU after it."""
    layers = nn.Sequential()
    for layer in range(n_layers):
        layers.extend([nn.Linear(width if layer else n_inputs, width), nn.ReLU()])
    return layers
