"""MLP: hidden layers between all that is known of a window, laid flat, and the horizon of one channel.

Godahewa, Bergmeir, Webb, Hyndman and Montero-Manso, "Monash Time Series Forecasting Archive", NeurIPS 2021 (Datasets and
Benchmarks), where it is the FFNN of GluonTS (Alexandrov et al., JMLR 2020).
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from datasets.windows.batch import Inputs
from models.base import Forecaster, Use, WindowShape
from models.layers.arguments import at_least
from models.layers.dropout import Dropout
from models.layers.embedding import StaticEmbedding
from models.layers.normalisation import WindowNorm


class MLP(Forecaster):
    """A feed-forward network (FFNN in Godahewa et al., NeurIPS 2021), each channel by itself with shared weights.

    The input of a channel is flat: its past, covariates, what is known of each step of past and horizon, and what is static.
    Hidden layers with ReLU and dropout follow, and one linear map to all values of the horizon.

    Departures from those who have it: GluonTS' SimpleFeedForward reads the past alone, divided by its mean size, and its last
    hidden layer is one for each step, without ReLU; NeuralForecast's MLP reads the same as here; pytorch-forecasting's
    DecoderMLP reads what is known of one step of the horizon, and no past. Categories are embedded.

    Args:
        shape: The sizes of a window. Lags are not used.
        width: Of each hidden layer.
        n_layers: Hidden layers.
        dropout: After each of them.
        norm: Level and spread of the observed past, which the network does not see: none, last (value), revin (see WindowNorm).

    Raises:
        ValueError: an argument is out of its range.
    """

    uses: ClassVar[frozenset[Use]] = frozenset({"covariates", "known", "static", "observed"})

    def __init__(
        self,
        shape: WindowShape,
        *,
        width: int = 20,
        n_layers: int = 2,
        dropout: float = 0.0,
        norm: Literal["none", "last", "revin"] = "revin",
    ) -> None:
        super().__init__(shape)
        at_least(1, width=width, n_layers=n_layers)
        self.norm = WindowNorm(norm, shape.n_targets)
        self.static = StaticEmbedding(shape.n_static, shape.cardinalities)
        n_known = (shape.lookback + shape.horizon) * shape.n_known
        n_inputs = shape.lookback * (1 + shape.n_past_covariates) + n_known + self.static.n_features
        self.layers = nn.Sequential()
        for layer in range(n_layers):
            self.layers.extend([nn.Linear(width if layer else n_inputs, width), nn.ReLU(), Dropout(dropout)])
        self.layers.append(nn.Linear(width, shape.horizon * shape.n_outputs))

    def forward(self, inputs: Inputs) -> Float[Tensor, "B H C O"]:
        """The outputs of each channel from its own past."""
        past, statistics = self.norm(inputs.past_target, inputs.past_observed)
        steps = (inputs.past_covariates, inputs.past_known, inputs.future_known)
        static = self.static(inputs.static, inputs.static_categories)
        shared = torch.cat([*(part.flatten(1) for part in steps), static], -1)
        rows = torch.cat([past.mT, shared.unsqueeze(1).expand(-1, self.shape.n_targets, -1)], -1)
        outputs: Tensor = self.layers(rows).unflatten(-1, (self.shape.horizon, self.shape.n_outputs))
        return self.norm.restore(outputs.transpose(1, 2), statistics)


MODEL = MLP
