"""TPA-LSTM: an LSTM whose states are filtered along time, and attention that picks among the state's rows.

Shih, Sun and Lee, "Temporal Pattern Attention for Multivariate Time Series Forecasting", Machine Learning 108, ECML 2019.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from jaxtyping import Float
from torch import Tensor, nn

from datasets.windows.batch import Inputs
from models.base import Forecaster, Use, WindowShape
from models.layers.arguments import at_least
from models.layers.dropout import Dropout
from models.layers.highway import AutoregressiveHighway
from models.layers.normalisation import WindowNorm
from models.layers.recurrent import Recurrent


class TPALSTM(Forecaster):
    """TPA-LSTM (Shih et al., ECML 2019, section 4), for many channels at once.

    - An LSTM reads the past of all channels; h_t is its last state, H the states before it, one row for each of the D units.
    - Temporal pattern attention picks rows by what they did over time, and is added to the state: h' = W_h h_t + W_v v_t
      (``PatternAttention``).
    - One linear map of h' is the forecast (equation for y), here of the whole horizon; the highway of LSTNet, a linear
      autoregression that all channels share, is added.

    Departures from the paper: the horizon comes at once, where the paper trains one network for one step at a distance; of a
    lookback of one step, H is that step; a norm of the window around the network, off by default.

    Args:
        shape: The sizes of a window. Calendar features and covariates are not used.
        width: D, of the LSTM's states.
        n_layers: Of the LSTM.
        n_filters: Of the convolution along time, each as long as H.
        highway: The last steps that the autoregression reads; at most all.
        dropout: On the LSTM's states, after each layer.
        norm: Level and spread of the observed past, which the network does not see: none, last (value), revin (see WindowNorm).

    Raises:
        ValueError: an argument is out of its range.
    """

    uses: ClassVar[frozenset[Use]] = frozenset({"observed"})

    def __init__(
        self,
        shape: WindowShape,
        *,
        width: int = 338,
        n_layers: int = 3,
        n_filters: int = 32,
        highway: int = 24,
        dropout: float = 0.2,
        norm: Literal["none", "last", "revin"] = "none",
    ) -> None:
        super().__init__(shape)
        at_least(1, width=width, n_layers=n_layers, n_filters=n_filters, highway=highway)
        self.n_before = max(shape.lookback - 1, 1)
        self.norm = WindowNorm(norm, shape.n_targets)
        self.dropout = Dropout(dropout)
        self.lstm = Recurrent("LSTM", shape.n_targets, width, n_layers=n_layers, dropout=dropout)
        self.attention = PatternAttention(self.n_before, width, n_filters)
        self.projection = nn.Linear(width, shape.horizon * shape.n_targets * shape.n_outputs, bias=False)
        self.highway = AutoregressiveHighway(highway, shape.lookback, shape.horizon, shape.n_outputs)

    def forward(self, inputs: Inputs) -> Float[Tensor, "B H C O"]:
        """The outputs for all steps of the horizon in one pass."""
        past, statistics = self.norm(inputs.past_target, inputs.past_observed)
        states = self.dropout(self.lstm(past)[0])
        outputs: Tensor = self.projection(self.attention(states[:, : self.n_before], states[:, -1]))
        direct = outputs.view(len(past), self.shape.horizon, self.shape.n_targets, self.shape.n_outputs)
        return self.norm.restore(direct + self.highway(past), statistics)


class PatternAttention(nn.Module):
    """Attention to rows of a matrix of states instead of to its steps: (B, T, D) and (B, D) to (B, D).

    Row i is one number of the state over T steps. Filters as long as the row turn it into k numbers: P_ij = sum_l H_il C_jl.
    Row i counts by a_i = sigmoid(P_i W_a h_t): a sigmoid, so that several rows may count at once. v_t = sum_i a_i P_i.

    Args:
        n_steps: T.
        width: D.
        n_filters: k.
    """

    def __init__(self, n_steps: int, width: int, n_filters: int) -> None:
        super().__init__()
        self.filters = nn.Linear(n_steps, n_filters, bias=False)
        self.score = nn.Linear(width, n_filters, bias=False)
        self.state = nn.Linear(width, width, bias=False)
        self.context = nn.Linear(n_filters, width, bias=False)

    def forward(self, before: Float[Tensor, "B T D"], state: Float[Tensor, "B D"]) -> Float[Tensor, "B D"]:
        """h' = W_h h_t + W_v v_t."""
        patterns: Tensor = self.filters(before.mT)
        weights = (patterns @ self.score(state).unsqueeze(-1)).sigmoid()
        outputs: Tensor = self.state(state) + self.context((weights.mT @ patterns).squeeze(1))
        return outputs


MODEL = TPALSTM
