"""iTransformer (Liu et al., ICLR 2024)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from benchmarks.transcriptions.parts import EncoderLayer, FeedForward, MultiHead, attention, standardise
from datasets.windows.batch import Inputs
from models.base import WindowShape


class ITransformer(nn.Module):
    """Channels and calendar features are tokens; a linear map gives each channel's future (section 3.1)."""

    def __init__(
        self, shape: WindowShape, *, n_heads: int, head_width: int, n_layers: int, feedforward: int, dropout: float
    ) -> None:
        super().__init__()
        width = n_heads * head_width
        self.values = nn.Linear(shape.lookback, width)
        self.known = nn.Linear(shape.lookback + shape.horizon, width)
        self.dropout = nn.Dropout(dropout)
        self.encoder = nn.Sequential(
            *(
                EncoderLayer(
                    MultiHead(attention, width, n_heads),
                    FeedForward(width, feedforward, dropout),
                    [nn.LayerNorm(width) for _ in range(2)],
                    dropout,
                )
                for _ in range(n_layers)
            ),
            nn.LayerNorm(width),
        )
        self.projection = nn.Linear(width, shape.horizon)

    def forward(self, inputs: Inputs) -> Tensor:
        """(B, H, C)."""
        past, mean, deviation = standardise(inputs.past_target)
        known = torch.cat([inputs.past_known, inputs.future_known], 1)
        tokens = torch.cat([self.values(past.transpose(1, 2)), self.known(known.transpose(1, 2))], 1)
        tokens = self.encoder(self.dropout(tokens))
        return self.projection(tokens[:, : past.shape[2]]).transpose(1, 2) * deviation + mean


MODEL = ITransformer
