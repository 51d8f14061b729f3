"""TSMixer: maps along time and maps along channels, in turns.

Chen, Li, Yoder, Arik and Pfister, "TSMixer: An All-MLP Architecture for Time Series Forecasting", TMLR 2023.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from datasets.windows.batch import Inputs
from models.base import Forecaster, Use, WindowShape
from models.layers.arguments import at_least
from models.layers.dropout import Dropout
from models.layers.normalisation import WindowNorm
from models.layers.transformer import FeedForward


class TSMixer(Forecaster):
    """TSMixer (Chen et al., TMLR 2023, section 4.1): blocks of time mixing and feature mixing, then one map from L to H steps.

    - Time mixing: a linear map along time with ReLU, shared by the channels, added to its input.
    - Feature mixing: two maps along the channels, shared by the steps, added to their input.
    - Temporal projection: a linear map from the past to the horizon, shared by the channels.

    Departures: before each mixing the whole window is layer-normed over time and channels, as the paper does in its extended
    model, where the basic one has a batch norm: a last batch of one window has no variance. Covariates and calendar features,
    the matter of the extended model, are not used.

    Args:
        shape: The sizes of a window.
        n_layers: Blocks.
        feedforward: Width between the two maps along the channels.
        dropout: On what each map adds.
        norm: Level and spread of the observed past, which the network does not see: none, last (value), revin (see WindowNorm).

    Raises:
        ValueError: an argument is out of its range.
    """

    uses: ClassVar[frozenset[Use]] = frozenset({"observed"})

    def __init__(
        self,
        shape: WindowShape,
        *,
        n_layers: int = 4,
        feedforward: int = 64,
        dropout: float = 0.3,
        norm: Literal["none", "last", "revin"] = "revin",
    ) -> None:
        super().__init__(shape)
        at_least(1, n_layers=n_layers, feedforward=feedforward)
        self.norm = WindowNorm(norm, shape.n_targets)
        self.blocks = nn.Sequential(
            *(MixerBlock(shape.lookback, shape.n_targets, feedforward, dropout) for _ in range(n_layers))
        )
        self.projection = nn.Linear(shape.lookback, shape.horizon * shape.n_outputs)

    def forward(self, inputs: Inputs) -> Float[Tensor, "B H C O"]:
        """The outputs for all steps and channels in one pass."""
        past, statistics = self.norm(inputs.past_target, inputs.past_observed)
        outputs: Tensor = self.projection(self.blocks(past).mT)
        outputs = outputs.view(*outputs.shape[:2], self.shape.horizon, self.shape.n_outputs).transpose(1, 2)
        return self.norm.restore(outputs, statistics)


class MixerBlock(nn.Module):
    """Time mixing, then feature mixing: (B, L, C) to (B, L, C)."""

    def __init__(self, lookback: int, n_channels: int, feedforward: int, dropout: float) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm((lookback, n_channels)) for _ in range(2))
        self.time = nn.Linear(lookback, lookback)
        self.features = FeedForward(n_channels, feedforward, "relu", dropout)
        self.dropout = Dropout(dropout)

    def forward(self, steps: Float[Tensor, "B L C"]) -> Float[Tensor, "B L C"]:
        """As many steps and channels as came."""
        steps = steps + self.dropout(F.relu(self.time(self.norms[0](steps).mT)).mT)
        outputs: Tensor = steps + self.dropout(self.features(self.norms[1](steps)))
        return outputs


MODEL = TSMixer
