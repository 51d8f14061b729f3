"""N-BEATS with Kolmogorov-Arnold layers in place of linear maps: pytorch-forecasting's NBeatsKAN.

Oreshkin, Carpov, Chapados and Bengio, "N-BEATS: Neural basis expansion analysis for interpretable time series forecasting",
ICLR 2020. Liu, Wang, Vaidya, Ruehle, Halverson, Soljacic, Hou and Tegmark, "KAN: Kolmogorov-Arnold Networks", ICLR 2025.
Bhattacharya and Haq, "Zero Shot Time Series Forecasting Using Kolmogorov Arnold Networks", arXiv:2412.17853, 2024.
"""

from __future__ import annotations

from functools import partial
from typing import Literal

from torch import nn

from models.base import WindowShape
from models.layers.arguments import at_least, one_of
from models.layers.doubly_residual import BasisBlock, DoublyResidualForecaster, Expansion, generic, interpretable
from models.layers.dropout import Dropout
from models.layers.kan import KANLayer


class NBEATSKAN(DoublyResidualForecaster):
    """N-BEATS (Oreshkin et al., ICLR 2020) whose blocks are Kolmogorov-Arnold networks (Liu et al., ICLR 2025), as proposed by
    Bhattacharya and Haq (arXiv:2412.17853, 2024), for each channel by itself, with weights shared by all channels.

    The stacks, the two residuals and the bases are those of ``nbeats``. Within a block, and to its coefficients, each edge is a
    learned function, silu plus B-splines, in place of a weight; there is no other activation.

    Sizes are the defaults of pytorch-forecasting's NBeatsKAN. Departures from it: the blocks of one stack share their weights,
    as in the paper of N-BEATS (its default asks for that, and is not read); the bases are that paper's, without a ReLU before
    the generic ones; backcast and forecast have coefficients of their own, and the last block no backcast, which nothing reads;
    grids stay where they are, as they do there unless a callback moves them; a norm of the window around the network, off by
    default. The adversarial training over markets of Bhattacharya and Haq is not here.

    Args:
        shape: The sizes of a window. Calendar features and covariates are not used.
        basis: interpretable or generic.
        n_stacks: Of generic; interpretable has two.
        n_blocks: Of each stack.
        n_layers: Of each block, before its coefficients.
        width: Of these layers in generic.
        n_coefficients: Of each learned basis.
        trend_width: Of these layers in trend blocks.
        seasonality_width: Of these layers in seasonality blocks.
        degree: Of the polynomials of the trend.
        n_intervals: Of the grid of the splines.
        spline_degree: Of the polynomials between its points.
        reach: Where the grid ends, on both sides of 0; beyond it an edge is soon silu alone.
        dropout: Between the layers of a block.
        norm: Level and spread of the observed past, which the network does not see: none, last (value), revin (see WindowNorm).

    Raises:
        ValueError: an argument is out of its range.
    """

    def __init__(
        self,
        shape: WindowShape,
        *,
        basis: Literal["interpretable", "generic"] = "interpretable",
        n_stacks: int = 2,
        n_blocks: int = 3,
        n_layers: int = 3,
        width: int = 32,
        n_coefficients: int = 32,
        trend_width: int = 32,
        seasonality_width: int = 512,
        degree: int = 2,
        n_intervals: int = 5,
        spline_degree: int = 3,
        reach: float = 1.0,
        dropout: float = 0.1,
        norm: Literal["none", "last", "revin"] = "none",
    ) -> None:
        super().__init__(shape, norm)
        one_of(("interpretable", "generic"), basis=basis)
        at_least(1, n_stacks=n_stacks, n_blocks=n_blocks, n_layers=n_layers, width=width, n_coefficients=n_coefficients)
        at_least(1, trend_width=trend_width, seasonality_width=seasonality_width)
        at_least(1, n_intervals=n_intervals, spline_degree=spline_degree)
        at_least(0, degree=degree)
        if reach <= 0:
            raise ValueError(f"model.reach must be above 0, got {reach}")
        layer = partial(KANLayer, n_intervals=n_intervals, degree=spline_degree, reach=reach)

        def block(width: int, backcast: Expansion | None, forecast: Expansion) -> BasisBlock:
            network = nn.Sequential(layer(shape.lookback, width))
            for _ in range(n_layers - 1):
                network.extend([Dropout(dropout), layer(width, width)])
            return BasisBlock(network, width, backcast, forecast, shape.n_outputs, layer)

        if basis == "generic":
            self.stacks = generic(shape, partial(block, width), n_stacks * n_blocks, n_coefficients)
        else:
            trend, seasonality = partial(block, trend_width), partial(block, seasonality_width)
            self.stacks = interpretable(shape, trend, seasonality, n_blocks, degree)


MODEL = NBEATSKAN
