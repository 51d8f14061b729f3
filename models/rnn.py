"""A GRU or an LSTM that reads the value before each step and forecasts the next one: pytorch-forecasting's RecurrentNetwork.

Hochreiter and Schmidhuber, "Long Short-Term Memory", Neural Computation, 1997. Cho, van Merrienboer, Gulcehre, Bahdanau,
Bougares, Schwenk and Bengio, "Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine Translation",
EMNLP 2014. Teacher forcing and the fed back forecast: Sutskever, Vinyals and Le, "Sequence to Sequence Learning with Neural
Networks", NeurIPS 2014.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from models.base import WindowShape
from models.heads.point import LOSSES
from models.layers.arguments import at_least, one_of
from models.layers.autoregressive import AutoregressiveForecaster
from models.layers.recurrent import AutoregressiveRNN


class RNN(AutoregressiveForecaster):
    """A recurrent network (LSTM: Hochreiter and Schmidhuber, 1997; GRU: Cho et al., 2014) with teacher forcing (Sutskever et
    al., NeurIPS 2014), for each channel by itself, with the same weights. It is DeepAR without a distribution.

    - h_t = RNN(h_{t-1}, z_{t-1}, x_t), from zeros, through the lookback and on through the horizon; x_t holds known features,
      static numbers, embedded categories and lags. One linear map of h_t is the forecast of step t.
    - In training z_{t-1} is the true value; in a forecast it is the forecast of the step before.

    Sizes are the defaults of pytorch-forecasting's RecurrentNetwork. Departures from it: several targets are joint there; it
    begins at the second step of the lookback, where this network reads 0 before the first; the log of the scale of a series is
    an input; a norm of the window around the network, off by default.

    Args:
        shape: The sizes of a window. K, S, G and the lags may be absent.
        cell: lstm or gru.
        width: Of the state of each layer.
        n_layers: Of cells.
        dropout: Between two layers.
        norm: Level and spread of the observed past, which the network does not see: none, last (value), revin (see WindowNorm).

    Raises:
        ValueError: an argument is out of its range.
    """

    heads: ClassVar[tuple[str, ...]] = tuple(LOSSES)

    def __init__(
        self,
        shape: WindowShape,
        *,
        cell: Literal["lstm", "gru"] = "lstm",
        width: int = 10,
        n_layers: int = 2,
        dropout: float = 0.1,
        norm: Literal["none", "last", "revin"] = "none",
    ) -> None:
        one_of(("lstm", "gru"), cell=cell)
        at_least(1, width=width, n_layers=n_layers)
        kind: Literal["LSTM", "GRU"] = "LSTM" if cell == "lstm" else "GRU"
        network = AutoregressiveRNN(kind, shape, joint=False, width=width, n_layers=n_layers, dropout=dropout)
        super().__init__(shape, network, width=width, joint=False, norm=norm)


MODEL = RNN
