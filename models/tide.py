"""TiDE: a dense encoder and decoder around the past, with what is known of each step of the horizon at its end.

Das, Kong, Leach, Mathur, Sen and Yu, "Long-term Forecasting with TiDE: Time-series Dense Encoder", TMLR 2023.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from datasets.windows.batch import Inputs
from models.base import Forecaster, Use, WindowShape
from models.layers.arguments import at_least
from models.layers.dropout import Dropout
from models.layers.embedding import StaticEmbedding
from models.layers.normalisation import WindowNorm


class TiDE(Forecaster):
    """TiDE (Das et al., TMLR 2023, section 4), each channel by itself with shared weights.

    - Feature projection: what is known of each step, of past and horizon, becomes a few numbers by a residual block.
    - The encoder maps the past, all projected steps and what is static to one vector; the decoder maps that to one for each
      step of the horizon. Both are residual blocks.
    - The temporal decoder, one residual block for all steps, reads a step's vector and its projected features.
    - A linear map from the past to the horizon is added.

    A residual block is two maps with ReLU between and dropout after, plus a linear map of its input, layer-normed.

    Departures: covariates that are known only up to the origin are not used; categories are embedded; revin in the place of the
    authors' optional standardisation of the window; the temporal decoder has no layer norm: it would fix the level of outputs.

    Args:
        shape: The sizes of a window.
        width: Of hidden layers and of the encoder's vector.
        n_encoder_layers: Residual blocks.
        n_decoder_layers: Residual blocks.
        decoder_width: Numbers of each step of the horizon before the temporal decoder.
        temporal_width: Of the hidden layer of the temporal decoder.
        feature_width: Numbers that what is known of a step becomes.
        dropout: In each residual block.
        norm: Level and spread of the observed past, which the network does not see: none, last (value), revin (see WindowNorm).

    Raises:
        ValueError: an argument is out of its range.
    """

    uses: ClassVar[frozenset[Use]] = frozenset({"known", "static", "observed"})

    def __init__(
        self,
        shape: WindowShape,
        *,
        width: int = 256,
        n_encoder_layers: int = 2,
        n_decoder_layers: int = 2,
        decoder_width: int = 8,
        temporal_width: int = 128,
        feature_width: int = 4,
        dropout: float = 0.3,
        norm: Literal["none", "last", "revin"] = "revin",
    ) -> None:
        super().__init__(shape)
        at_least(1, width=width, decoder_width=decoder_width, temporal_width=temporal_width, feature_width=feature_width)
        at_least(1, n_encoder_layers=n_encoder_layers, n_decoder_layers=n_decoder_layers)
        self.norm = WindowNorm(norm, shape.n_targets)
        self.encode_known = ResidualBlock(shape.n_known, width, feature_width, dropout) if shape.n_known else None
        n_features = feature_width if shape.n_known else 0
        self.static = StaticEmbedding(shape.n_static, shape.cardinalities)
        n_inputs = shape.lookback + (shape.lookback + shape.horizon) * n_features + self.static.n_features

        def blocks(n_inputs: int, n_outputs: int, n_layers: int) -> nn.Sequential:
            sizes = [n_inputs, *[width] * (n_layers - 1), n_outputs]
            return nn.Sequential(*(ResidualBlock(sizes[i], width, sizes[i + 1], dropout) for i in range(n_layers)))

        self.encoder = blocks(n_inputs, width, n_encoder_layers)
        self.decoder = blocks(width, decoder_width * shape.horizon, n_decoder_layers)
        self.temporal = ResidualBlock(decoder_width + n_features, temporal_width, shape.n_outputs, dropout, is_normed=False)
        self.skip = nn.Linear(shape.lookback, shape.horizon * shape.n_outputs)

    def forward(self, inputs: Inputs) -> Float[Tensor, "B H C O"]:
        """The outputs of each channel from its own past."""
        past, statistics = self.norm(inputs.past_target, inputs.past_observed)
        n_windows, _, n_channels = past.shape
        shared = self.static(inputs.static, inputs.static_categories)
        ahead = past.new_zeros(n_windows, self.shape.horizon, 0)
        if self.encode_known is not None:
            projected = self.encode_known(torch.cat([inputs.past_known, inputs.future_known], 1))
            shared, ahead = torch.cat([shared, projected.flatten(1)], -1), projected[:, self.shape.lookback :]
        rows = torch.cat([past.mT, shared.unsqueeze(1).expand(-1, n_channels, -1)], -1)
        steps = self.decoder(self.encoder(rows)).view(n_windows, n_channels, self.shape.horizon, -1)
        steps = torch.cat([steps, ahead.unsqueeze(1).expand(-1, n_channels, -1, -1)], -1)
        outputs = self.temporal(steps) + self.skip(past.mT).view(n_windows, n_channels, self.shape.horizon, -1)
        return self.norm.restore(outputs.transpose(1, 2), statistics)


class ResidualBlock(nn.Module):
    """Two maps with ReLU between and dropout after, plus a linear map of the input; layer-normed, but for the last block."""

    def __init__(self, n_inputs: int, hidden: int, n_outputs: int, dropout: float, *, is_normed: bool = True) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(n_inputs, hidden), nn.Linear(hidden, n_outputs)
        self.skip = nn.Linear(n_inputs, n_outputs)
        self.norm = nn.LayerNorm(n_outputs) if is_normed else nn.Identity()
        self.dropout = Dropout(dropout)

    def forward(self, values: Float[Tensor, "*rest n"]) -> Float[Tensor, "*rest m"]:
        """Each row by itself."""
        outputs: Tensor = self.norm(self.dropout(self.outer(F.relu(self.inner(values)))) + self.skip(values))
        return outputs


MODEL = TiDE
