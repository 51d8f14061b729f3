"""PatchTST: patches of one channel at a time are the tokens of a Transformer encoder.

Nie, Nguyen, Sinthong and Kalagnanam, "A Time Series is Worth 64 Words: Long-term Forecasting with Transformers", ICLR 2023.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from datasets.windows.batch import Inputs
from models.base import Forecaster, Use, WindowShape
from models.layers.arguments import at_least
from models.layers.attention import FullAttention, MultiHeadAttention
from models.layers.dropout import Dropout
from models.layers.normalisation import TokenBatchNorm, WindowNorm
from models.layers.patching import patches
from models.layers.transformer import EncoderLayer, FeedForward


class PatchTST(Forecaster):
    """PatchTST (Nie et al., ICLR 2023, section 3.1), for long pasts: the supervised model.

    - Channel independence: each channel goes through the same network alone.
    - Patching: the last value is repeated S = stride times, and patches of P steps begin every S steps: N = floor((L - P) / S)
      + 2 of them. Where P exceeds L + S it is repeated P - L times, and there is one patch.
    - Encoder: x = W_p patch + W_pos with learned positions, then layers of softmax(Q K' / sqrt(d)) V and a feed-forward
      network, each added to its input and batch-normed over all tokens of a batch.
    - Flatten head: one linear map from all tokens of a channel to its future.
    - Instance normalisation: revin.

    Departures from the paper and the authors' code: attention scores are not added to those of the layer before, which their
    code does and the paper does not; attention weights have no dropout (fused kernels go without, and are faster); revin has
    a learned affine map for each channel, which their scripts switch off; no bias before a batch norm, which would cancel it.

    Args:
        shape: The sizes of a window. Calendar features and covariates are not used.
        patch_length: P.
        stride: S; one above patch_length leaves gaps.
        n_heads: Attention heads.
        head_width: Width of each. The width of a token is n_heads * head_width: the paper's 128 is 16 * 8.
        n_layers: Encoder layers.
        feedforward: Width between the two maps of each feed-forward network.
        dropout: On tokens, inside feed-forward networks, on what each layer adds.
        head_dropout: On the tokens before the flatten head.
        activation: Of the feed-forward networks: gelu or relu.
        norm: Level and spread of the observed past, which the network does not see: none, last (value), revin (see WindowNorm).

    Raises:
        ValueError: an argument is out of its range.
    """

    uses: ClassVar[frozenset[Use]] = frozenset({"observed"})

    def __init__(
        self,
        shape: WindowShape,
        *,
        patch_length: int = 16,
        stride: int = 8,
        n_heads: int = 16,
        head_width: int = 8,
        n_layers: int = 3,
        feedforward: int = 256,
        dropout: float = 0.2,
        head_dropout: float = 0.0,
        activation: Literal["gelu", "relu"] = "gelu",
        norm: Literal["none", "last", "revin"] = "revin",
    ) -> None:
        super().__init__(shape)
        at_least(1, patch_length=patch_length, stride=stride)
        at_least(1, n_heads=n_heads, head_width=head_width, n_layers=n_layers, feedforward=feedforward)
        width = n_heads * head_width
        self.patch_length, self.stride = patch_length, stride
        self.padding = max(stride, patch_length - shape.lookback)
        n_patches = (shape.lookback + self.padding - patch_length) // stride + 1
        self.norm = WindowNorm(norm, shape.n_targets)
        self.embedding = nn.Linear(patch_length, width)
        self.positions = nn.Parameter(torch.empty(n_patches, width).uniform_(-0.02, 0.02))
        self.dropout = Dropout(dropout)
        self.encoder = nn.Sequential(
            *(
                EncoderLayer(
                    MultiHeadAttention(FullAttention(), width, n_heads, head_width, output_bias=False),
                    FeedForward(width, feedforward, activation, dropout, output_bias=False),
                    width,
                    dropout,
                    norm=TokenBatchNorm,
                )
                for _ in range(n_layers)
            )
        )
        self.head_dropout = Dropout(head_dropout)
        self.head = nn.Linear(n_patches * width, shape.horizon * shape.n_outputs)

    def forward(self, inputs: Inputs) -> Float[Tensor, "B H C O"]:
        """The outputs of each channel from its own past."""
        past, statistics = self.norm(inputs.past_target, inputs.past_observed)
        tokens = patches(past.mT, self.patch_length, self.stride, after=self.padding).flatten(0, 1)
        tokens = self.encoder(self.dropout(self.embedding(tokens) + self.positions))
        outputs: Tensor = self.head(self.head_dropout(tokens.flatten(1)))
        outputs = outputs.view(*past.shape[::2], self.shape.horizon, self.shape.n_outputs).transpose(1, 2)
        return self.norm.restore(outputs, statistics)


MODEL = PatchTST
