"""N-HiTS: N-BEATS whose stacks read the past at several rates, and forecast few values each, with lines between them.

Challu, Olivares, Oreshkin, Garza, Mergenthaler-Canseco and Dubrawski, "N-HiTS: Neural Hierarchical Interpolation for Time
Series Forecasting", AAAI 2023.
"""

from __future__ import annotations

from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from models.base import WindowShape
from models.layers.arguments import at_least, one_of
from models.layers.doubly_residual import Basis, BasisBlock, DoublyResidual, DoublyResidualForecaster, perceptron

_MODES = {"nearest": "nearest", "linear": "bilinear", "cubic": "bicubic"}


class NHiTS(DoublyResidualForecaster):
    """N-HiTS (Challu et al., AAAI 2023), for each channel by itself, with weights shared by all channels.

    - A block takes the maxima of each ``pool`` steps of its past (equation 1), then linear maps with ReLU, then coefficients of
      backcast and forecast (equation 2).
    - The coefficients are values at few, evenly spaced steps: one for each ``stride`` steps. What lies between is interpolated
      (equations 3 and 4), so that each stack forecasts one scale of time.
    - Each block sees the past less the backcasts before it; forecasts add up, as in N-BEATS.

    Departures from the paper: the last block has no backcast, which nothing reads; a norm of the window around the network,
    off by default.

    Args:
        shape: The sizes of a window. Calendar features and covariates are not used.
        pools: Steps under each maximum, one number for each stack, with commas; no more than the lookback are taken.
        strides: Steps between two coefficients, one number for each stack: the inverse of the paper's expressiveness ratio.
        n_blocks: Of each stack.
        n_layers: Linear maps with ReLU of each block.
        width: Of these maps.
        interpolation: linear, nearest or cubic.
        norm: Level and spread of the observed past, which the network does not see: none, last (value), revin (see WindowNorm).

    Raises:
        ValueError: an argument is out of its range.
    """

    def __init__(
        self,
        shape: WindowShape,
        *,
        pools: str = "16,8,1",
        strides: str = "24,12,1",
        n_blocks: int = 1,
        n_layers: int = 2,
        width: int = 512,
        interpolation: Literal["linear", "nearest", "cubic"] = "linear",
        norm: Literal["none", "last", "revin"] = "none",
    ) -> None:
        super().__init__(shape, norm)
        at_least(1, n_blocks=n_blocks, n_layers=n_layers, width=width)
        one_of(tuple(_MODES), interpolation=interpolation)
        stacks = list(zip(numbers(pools=pools), numbers(strides=strides), strict=False))
        if pools.count(",") != strides.count(","):
            raise ValueError(f"model.pools and model.strides must have one number for each stack, got {pools} and {strides}")
        self.stacks = DoublyResidual(
            BasisBlock(
                nn.Sequential(MaxPool(pool), perceptron(MaxPool.steps(shape.lookback, pool), width, n_layers)),
                width,
                Basis(lines(shape.lookback, stride, interpolation)) if (stack, block) != (len(stacks), n_blocks) else None,
                Basis(lines(shape.horizon, stride, interpolation)),
                shape.n_outputs,
            )
            for stack, (pool, stride) in enumerate(stacks, 1)
            for block in range(1, n_blocks + 1)
        )


class MaxPool(nn.Module):
    """The largest of each ``size`` steps; of fewer in the last group."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    @staticmethod
    def steps(length: int, size: int) -> int:
        """How many steps come out of ``length``."""
        return -(-length // size)

    def forward(self, past: Float[Tensor, "B C L"]) -> Float[Tensor, "B C few"]:
        """One value for each group."""
        padded = F.pad(past, (0, -past.shape[-1] % self.size), value=-torch.inf)
        return padded.view(*padded.shape[:2], -1, self.size).amax(-1)


def lines(length: int, stride: int, interpolation: str) -> Float[Tensor, "n length"]:
    """What each of ceil(length / stride) coefficients, spaced evenly from the first step to the last, adds to every step."""
    n_coefficients = -(-length // stride)
    square = torch.eye(n_coefficients).view(1, 1, n_coefficients, n_coefficients)
    aligned = None if interpolation == "nearest" else True
    return F.interpolate(square, (n_coefficients, length), mode=_MODES[interpolation], align_corners=aligned)[0, 0]


def numbers(**texts: str) -> list[int]:
    """The whole numbers above 0 of a text with commas."""
    ((name, text),) = texts.items()
    words = [word.strip() for word in text.split(",")]
    if not all(word.isdecimal() and int(word) for word in words):
        raise ValueError(f"model.{name} must be whole numbers above 0 with commas between, such as 8,4,1, got {text!r}")
    return [int(word) for word in words]


MODEL = NHiTS
