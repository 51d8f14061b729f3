"""DeepVAR: one LSTM over all channels, with a low-rank normal distribution of them at each step.

Salinas, Bohlke-Schneider, Callot, Medico and Gasthaus, "High-Dimensional Multivariate Forecasting with Low-Rank Gaussian Copula
Processes", NeurIPS 2019.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from models.base import WindowShape
from models.layers.arguments import at_least
from models.layers.autoregressive import AutoregressiveForecaster
from models.layers.recurrent import AutoregressiveRNN


class DeepVAR(AutoregressiveForecaster):
    """DeepVAR, the Vec-LSTM of the paper (Salinas et al., NeurIPS 2019), for all channels at once.

    - h_t = LSTM(h_{t-1}, z_{t-1}, x_t), with z all channels and x_t lags, known features, static numbers and categories.
    - z_t ~ N(mu(h_t), D(h_t) + V(h_t) V(h_t)'), D diagonal and V of low rank (equation 6): the head low_rank_normal, whose rank
      is train.rank. One linear map puts out all of it. Other heads draw channels that are independent, given the past.
    - A forecast draws the channels of a step together, and feeds them back.

    Departures from the paper: no copula (its marginal transform of each series by its empirical distribution), so that this is
    its low-rank model of scaled values; all series are scaled by their train rows, their scales being features; mu, D and V of
    a channel have weights of their own, where its GP variants share them; V is in units of D.

    Args:
        shape: The sizes of a window. K, S, G and the lags may be absent.
        width: Of the state of each layer.
        n_layers: Of the LSTM.
        dropout: Between its layers.
        norm: Level and spread of the observed past, which the network does not see: none, last (value), revin (see WindowNorm).

    Raises:
        ValueError: an argument is out of its range.
    """

    heads: ClassVar[tuple[str, ...]] = ("low_rank_normal", "normal", "student_t", "quantile")

    def __init__(
        self,
        shape: WindowShape,
        *,
        width: int = 40,
        n_layers: int = 2,
        dropout: float = 0.01,
        norm: Literal["none", "last", "revin"] = "none",
    ) -> None:
        at_least(1, width=width, n_layers=n_layers)
        network = AutoregressiveRNN("LSTM", shape, joint=True, width=width, n_layers=n_layers, dropout=dropout)
        super().__init__(shape, network, width=width, joint=True, norm=norm)


MODEL = DeepVAR
