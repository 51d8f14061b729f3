"""SparseTSF: each phase of a period forecast by one small map that all phases share.

Lin, Lin, Wu, Chen and Yang, "SparseTSF: Modeling Long-term Time Series Forecasting with 1k Parameters", ICML 2024.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from jaxtyping import Float
from torch import Tensor, nn

from datasets.windows.batch import Inputs
from models.base import Forecaster, Use, WindowShape
from models.layers.arguments import at_least
from models.layers.normalisation import WindowNorm
from models.layers.patching import patches


class SparseTSF(Forecaster):
    """SparseTSF (Lin et al., ICML 2024, section 3.2), each channel by itself.

    - Aggregation: a convolution without bias over a period around each step is added to the series.
    - The series is laid out as phases of a period; the values of a phase, one a period, are mapped to those of the horizon by
      one linear map without bias, shared by phases and channels, or by two with ReLU between (SparseTSF/MLP).

    Departures: the window is normalised by revin, where the paper subtracts the mean; a lookback that is no multiple of
    the period begins with repetitions of its first value, the last period of the horizon is cut.

    Args:
        shape: The sizes of a window. Calendar features and covariates are not used.
        period: Steps, at most the lookback.
        hidden: Width between two maps; 0 is one map.
        norm: Level and spread of the observed past, which the network does not see: none, last (value), revin (see WindowNorm).

    Raises:
        ValueError: an argument is out of its range.
    """

    uses: ClassVar[frozenset[Use]] = frozenset({"observed"})

    def __init__(
        self, shape: WindowShape, *, period: int = 24, hidden: int = 0, norm: Literal["none", "last", "revin"] = "revin"
    ) -> None:
        super().__init__(shape)
        at_least(1, period=period)
        at_least(0, hidden=hidden)
        self.period = min(period, shape.lookback)
        self.norm = WindowNorm(norm, shape.n_targets)
        self.aggregation = nn.Conv1d(1, 1, 1 + 2 * (self.period // 2), padding="same", bias=False)
        n_past, n_ahead = -(-shape.lookback // self.period), -(-shape.horizon // self.period) * shape.n_outputs
        self.map: nn.Module = nn.Linear(n_past, n_ahead, bias=False)
        if hidden:
            self.map = nn.Sequential(nn.Linear(n_past, hidden), nn.ReLU(), nn.Linear(hidden, n_ahead))

    def forward(self, inputs: Inputs) -> Float[Tensor, "B H C O"]:
        """The outputs of each channel from its own past."""
        past, statistics = self.norm(inputs.past_target, inputs.past_observed)
        series = past.mT.reshape(-1, 1, self.shape.lookback)
        series = (series + self.aggregation(series)).squeeze(1)
        phases = patches(series, self.period, self.period, before=-self.shape.lookback % self.period).mT
        ahead = self.map(phases).view(*past.shape[::2], self.period, -1, self.shape.n_outputs)
        outputs = ahead.transpose(2, 3).flatten(2, 3)[:, :, : self.shape.horizon]
        return self.norm.restore(outputs.transpose(1, 2), statistics)


MODEL = SparseTSF
