"""DeepAR: an LSTM that reads the value before each step and puts out the distribution of the next one.

Salinas, Flunkert, Gasthaus and Januschowski, "DeepAR: Probabilistic Forecasting with Autoregressive Recurrent Networks",
International Journal of Forecasting (IJF), 2020.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from models.base import WindowShape
from models.layers.arguments import at_least
from models.layers.autoregressive import AutoregressiveForecaster
from models.layers.recurrent import AutoregressiveRNN


class DeepAR(AutoregressiveForecaster):
    """DeepAR (Salinas et al., IJF 2020), for each channel by itself, with the same weights.

    - h_t = LSTM(h_{t-1}, z_{t-1}, x_t), from zeros, through the lookback and on through the horizon (equation 1). x_t holds
      known features, static numbers, embedded categories and, as in GluonTS (Alexandrov et al., JMLR 2020), lags.
    - theta(h_t) is one linear map; the likelihood l(z_t | theta(h_t)) is the head's (section 3.1), its loss the sum over the
      horizon of -log l with true values as inputs (equation 2).
    - A forecast draws z_t step by step and feeds it back, lags that point into the horizon included.

    Departures from the paper: a series is scaled by the mean size of its train rows (data.scaling=mean), where the paper takes
    the mean of each window's past; that scale is a feature, as its log; windows are drawn alike, not in proportion to their
    scale (section 3.3); dropout lies between the layers, of which the paper has none. Where a norm is asked for, it replaces
    the paper's scaling of the window. The default head is Student's t, as in GluonTS.

    Args:
        shape: The sizes of a window. K, S, G and the lags may be absent.
        width: Of the state of each layer.
        n_layers: Of the LSTM.
        dropout: Between its layers.
        norm: Level and spread of the observed past, which the network does not see: none, last (value), revin (see WindowNorm).

    Raises:
        ValueError: an argument is out of its range.
    """

    heads: ClassVar[tuple[str, ...]] = ("student_t", "normal", "negative_binomial", "quantile", "implicit_quantile")

    def __init__(
        self,
        shape: WindowShape,
        *,
        width: int = 40,
        n_layers: int = 3,
        dropout: float = 0.0,
        norm: Literal["none", "last", "revin"] = "none",
    ) -> None:
        at_least(1, width=width, n_layers=n_layers)
        network = AutoregressiveRNN("LSTM", shape, joint=False, width=width, n_layers=n_layers, dropout=dropout)
        super().__init__(shape, network, width=width, joint=False, norm=norm)


MODEL = DeepAR
