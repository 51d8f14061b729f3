"""N-BEATS: blocks of linear maps that explain a part of the past each, and forecast it.

Oreshkin, Carpov, Chapados and Bengio, "N-BEATS: Neural basis expansion analysis for interpretable time series forecasting",
ICLR 2020.
"""

from __future__ import annotations

from functools import partial
from typing import Literal

from models.base import WindowShape
from models.layers.arguments import at_least, one_of
from models.layers.doubly_residual import BasisBlock, DoublyResidualForecaster, Expansion, generic, interpretable, perceptron


class NBEATS(DoublyResidualForecaster):
    """N-BEATS (Oreshkin et al., ICLR 2020), for each channel by itself, with weights shared by all channels.

    - A block is a stack of linear maps with ReLU, then the coefficients of a backcast and of a forecast, then a basis for
      either (equation 1). Each block sees the past less the backcasts before it; forecasts add up (section 3.2).
    - generic: the bases are learned linear maps (section 3.3). All blocks have their own weights.
    - interpretable: a stack of trend blocks, whose bases are polynomials (equation 2), then one of seasonality blocks, whose
      bases are sines and cosines (equation 3). Blocks of one stack share their weights.

    Departures from the paper: one network in place of an ensemble of 180 over losses, lookbacks and seeds; no backcast of the
    last block, which nothing reads; a norm of the window around the network, off by default.

    Args:
        shape: The sizes of a window. Calendar features and covariates are not used.
        basis: generic or interpretable.
        n_stacks: Of generic; interpretable has two.
        n_blocks: Of each stack; the paper has 1 in generic, 3 in interpretable.
        n_layers: Linear maps with ReLU of each block.
        width: Of these maps in generic.
        n_coefficients: Of each learned basis.
        trend_width: Of these maps in trend blocks.
        seasonality_width: Of these maps in seasonality blocks.
        degree: Of the polynomials.
        norm: Level and spread of the observed past, which the network does not see: none, last (value), revin (see WindowNorm).

    Raises:
        ValueError: an argument is out of its range.
    """

    def __init__(
        self,
        shape: WindowShape,
        *,
        basis: Literal["generic", "interpretable"] = "generic",
        n_stacks: int = 30,
        n_blocks: int = 1,
        n_layers: int = 4,
        width: int = 512,
        n_coefficients: int = 32,
        trend_width: int = 256,
        seasonality_width: int = 2048,
        degree: int = 2,
        norm: Literal["none", "last", "revin"] = "none",
    ) -> None:
        super().__init__(shape, norm)
        one_of(("generic", "interpretable"), basis=basis)
        at_least(1, n_stacks=n_stacks, n_blocks=n_blocks, n_layers=n_layers, width=width, n_coefficients=n_coefficients)
        at_least(1, trend_width=trend_width, seasonality_width=seasonality_width)
        at_least(0, degree=degree)

        def block(width: int, backcast: Expansion | None, forecast: Expansion) -> BasisBlock:
            return BasisBlock(perceptron(shape.lookback, width, n_layers), width, backcast, forecast, shape.n_outputs)

        if basis == "generic":
            self.stacks = generic(shape, partial(block, width), n_stacks * n_blocks, n_coefficients)
        else:
            trend, seasonality = partial(block, trend_width), partial(block, seasonality_width)
            self.stacks = interpretable(shape, trend, seasonality, n_blocks, degree)


MODEL = NBEATS
