"""PatchTST (Nie et al., ICLR 2023)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from benchmarks.transcriptions.parts import EncoderLayer, FeedForward, MultiHead, attention, standardise
from datasets.windows.batch import Inputs
from models.base import WindowShape


class PatchTST(nn.Module):
    """Patches of one channel through an encoder, all of them through one linear map (section 3.1)."""

    def __init__(
        self,
        shape: WindowShape,
        *,
        patch_length: int,
        stride: int,
        n_heads: int,
        head_width: int,
        n_layers: int,
        feedforward: int,
        dropout: float,
    ) -> None:
        super().__init__()
        width = n_heads * head_width
        self.patch_length, self.stride = patch_length, stride
        n_patches = (shape.lookback - patch_length) // stride + 2
        self.embedding = nn.Linear(patch_length, width)
        self.positions = nn.Parameter(torch.empty(n_patches, width).uniform_(-0.02, 0.02))
        self.dropout = nn.Dropout(dropout)
        self.encoder = nn.Sequential(
            *(
                EncoderLayer(
                    MultiHead(attention, width, n_heads),
                    FeedForward(width, feedforward, dropout),
                    [TokenBatchNorm(width) for _ in range(2)],
                    dropout,
                )
                for _ in range(n_layers)
            )
        )
        self.head = nn.Linear(n_patches * width, shape.horizon)

    def forward(self, inputs: Inputs) -> Tensor:
        """(B, H, C)."""
        past, mean, deviation = standardise(inputs.past_target)
        channels = past.transpose(1, 2)
        channels = torch.cat([channels, channels[..., -1:].repeat(1, 1, self.stride)], -1)
        patches = channels.unfold(-1, self.patch_length, self.stride)  # (B, C, n, P)
        tokens = self.dropout(self.embedding(patches.flatten(0, 1)) + self.positions)
        tokens = self.encoder(tokens).view(*patches.shape[:3], -1)
        return self.head(tokens.flatten(2)).transpose(1, 2) * deviation + mean


class TokenBatchNorm(nn.BatchNorm1d):
    """Of each feature over all tokens."""

    def forward(self, tokens: Tensor) -> Tensor:
        return super().forward(tokens.transpose(1, 2)).transpose(1, 2)


MODEL = PatchTST
