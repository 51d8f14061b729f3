"""TempFlow: an LSTM over the past conditions a normalising flow of all channels of each step.

Rasul, Sheikh, Schuster, Bergmann and Vollgraf, "Multivariate Probabilistic Time Series Forecasting via Conditioned Normalizing
Flows", ICLR 2021.
"""

from __future__ import annotations

from typing import Literal

from models.base import WindowShape
from models.layers.arguments import at_least, one_of
from models.layers.density import DensityForecaster
from models.layers.flow import Flow


class TempFlow(DensityForecaster):
    """TempFlow (Rasul et al., ICLR 2021), the recurrent one; the defaults are those of the authors' code.

    - h_t = LSTM(h_{t-1}, x_t) over the lookback and through the horizon; x_t holds all channels of the step before, their lags
      and what is known of the step.
    - p(z_t | h_t) is a flow whose blocks read h_t beside the values: Real NVP's couplings, y_b = x_b * exp(s(x_a, h)) +
      t(x_a, h), or a masked autoregressive flow. The loss is -log p(z_t | h_t), summed over the horizon.
    - A forecast draws noise, inverts the flow, and feeds what it gives back.

    Departures: no batch norm between blocks, with which a window's likelihood would hang on the windows around it; couplings
    change halves, not every other channel; log scales are bounded; s and t are one network; the loss counts the horizon alone,
    not the lookback; series are scaled by data.scaling, or the window by a norm, not by the mean of its past. The transformer
    in place of the LSTM is left out. The share of a channel in -log p is that of its own noise and scales: a missing channel
    is left out so, but what fills it is still read by the others.

    Args:
        shape: The sizes of a window. K, S, G and the lags may be absent.
        width: Of the state of each layer of the LSTM.
        n_layers: Of the LSTM.
        dropout: Between its layers.
        condition_width: Of what the flow reads of the state.
        flow: real_nvp or maf, which draws one channel after the other: C times slower.
        n_blocks: Of the flow. One block of real_nvp leaves half of the channels as they are.
        flow_width: Of the hidden layers of a block.
        n_hidden: Hidden layers of a block.
        norm: Level and spread of the observed past, which the network does not see: none, last (value), revin (see WindowNorm).

    Raises:
        ValueError: an argument is out of its range.
    """

    def __init__(
        self,
        shape: WindowShape,
        *,
        width: int = 40,
        n_layers: int = 2,
        dropout: float = 0.1,
        condition_width: int = 200,
        flow: Literal["real_nvp", "maf"] = "real_nvp",
        n_blocks: int = 3,
        flow_width: int = 100,
        n_hidden: int = 2,
        norm: Literal["none", "last", "revin"] = "none",
    ) -> None:
        at_least(1, width=width, n_layers=n_layers, condition_width=condition_width)
        at_least(1, n_blocks=n_blocks, flow_width=flow_width, n_hidden=n_hidden)
        one_of(("real_nvp", "maf"), flow=flow)
        super().__init__(
            shape,
            Flow(flow, shape.n_targets, condition_width, flow_width, n_hidden, n_blocks),
            width=width,
            n_layers=n_layers,
            dropout=dropout,
            condition_width=condition_width,
            norm=norm,
        )


MODEL = TempFlow
