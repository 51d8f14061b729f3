"""TimeXer: patches of a channel, and one global token of it that attends to all other channels.

Wang, Wu, Dong, Qin, Zhang, Liu, Qiu, Wang and Long, "TimeXer: Empowering Transformers for Time Series Forecasting with
Exogenous Variables", NeurIPS 2024.
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
from models.layers.embedding import ChannelEmbedding, sinusoidal_positions
from models.layers.normalisation import WindowNorm
from models.layers.patching import patches
from models.layers.transformer import FeedForward


class TimeXer(Forecaster):
    """TimeXer (Wang et al., NeurIPS 2024, section 3), for channels that depend on each other and on covariates.

    - Every target channel is endogenous once, with all channels as its exogenous series.
    - Endogenous embedding: patches of P steps, one after the other, through a linear map with positions, and a learned global
      token of the channel.
    - Exogenous embedding: one linear map makes the whole past of a channel one token.
    - Each layer: self-attention of a channel's patches and its global token; cross-attention from the global token to the
      exogenous tokens; a feed-forward network on each token. Each is added to its input, then layer-normed.
    - Forecast: one linear map of a channel's patches and global token.

    Departures from the paper: a channel is among its own exogenous tokens, as in the authors' code, so that there is one where
    C is 1; a known feature's token holds its future as well, through a map of its own (their code embeds the calendar of the
    past with the map of the channels); the first value is repeated in front until P divides the lookback, where their code
    drops the latest steps; revin has a learned affine map for each channel, which their normalisation lacks; attention weights
    have no dropout (fused kernels go without, and are faster).

    Args:
        shape: The sizes of a window. K may be 0.
        patch_length: P.
        n_heads: Attention heads.
        head_width: Width of each. The width of a token is n_heads * head_width: 256, of the authors'
            ETTh1 scripts, is 8 * 32.
        n_layers: Encoder layers.
        feedforward: Width between the two maps of each feed-forward network.
        dropout: On tokens, inside feed-forward networks, on what each layer adds, on the forecast.
        activation: Of the feed-forward networks: gelu or relu.
        norm: Level and spread of the observed past, which the network does not see: none, last (value), revin (see WindowNorm).
            Covariates keep theirs.

    Raises:
        ValueError: an argument is out of its range.
    """

    uses: ClassVar[frozenset[Use]] = frozenset({"covariates", "known", "observed"})
    positions: Tensor

    def __init__(
        self,
        shape: WindowShape,
        *,
        patch_length: int = 16,
        n_heads: int = 8,
        head_width: int = 32,
        n_layers: int = 1,
        feedforward: int = 1024,
        dropout: float = 0.1,
        activation: Literal["gelu", "relu"] = "gelu",
        norm: Literal["none", "last", "revin"] = "revin",
    ) -> None:
        super().__init__(shape)
        at_least(1, patch_length=patch_length, n_heads=n_heads, head_width=head_width)
        at_least(1, n_layers=n_layers, feedforward=feedforward)
        width, n_patches = n_heads * head_width, -(-shape.lookback // patch_length)
        self.patch_length = patch_length
        self.norm = WindowNorm(norm, shape.n_targets)
        self.patch_embedding = nn.Linear(patch_length, width, bias=False)
        self.register_buffer("positions", sinusoidal_positions(n_patches, width), persistent=False)
        self.global_tokens = nn.Parameter(torch.randn(shape.n_targets, 1, width))
        self.exogenous_embedding = ChannelEmbedding(shape.lookback, shape.horizon, shape.n_known, width, dropout)
        self.dropout = Dropout(dropout)

        def attend() -> MultiHeadAttention:
            return MultiHeadAttention(FullAttention(), width, n_heads, head_width)

        self.encoder = nn.ModuleList(
            GlobalTokenLayer(attend(), attend(), FeedForward(width, feedforward, activation, dropout), width, dropout)
            for _ in range(n_layers)
        )
        self.encoder_norm = nn.LayerNorm(width)
        self.head = nn.Linear((n_patches + 1) * width, shape.horizon * shape.n_outputs)

    def forward(self, inputs: Inputs) -> Float[Tensor, "B H C O"]:
        """The outputs of each target from its patches and its global token."""
        past, statistics = self.norm(inputs.past_target, inputs.past_observed)
        channels = torch.cat([past, inputs.past_covariates], -1)
        exogenous = self.exogenous_embedding(channels, inputs.past_known, inputs.future_known)
        tokens = self.endogenous(past)
        for layer in self.encoder:
            tokens = layer(tokens, exogenous)
        outputs: Tensor = self.dropout(self.head(self.encoder_norm(tokens).flatten(2)))
        outputs = outputs.view(*past.shape[::2], self.shape.horizon, self.shape.n_outputs).transpose(1, 2)
        return self.norm.restore(outputs, statistics)

    def endogenous(self, past: Float[Tensor, "B L C"]) -> Float[Tensor, "B C n D"]:
        """The patches of each channel, then its global token."""
        cut = patches(past.mT, self.patch_length, self.patch_length, before=-past.shape[1] % self.patch_length)
        embedded = self.patch_embedding(cut) + self.positions
        outputs: Tensor = self.dropout(torch.cat([embedded, self.global_tokens.expand(len(past), -1, -1, -1)], 2))
        return outputs


class GlobalTokenLayer(nn.Module):
    """Self-attention within a channel, attention of its last token to the exogenous tokens, feed-forward.

    Args:
        own: The self-attention; called with (queries, memory), like ``cross``.
        cross: The attention to the exogenous tokens.
        feed: Such as ``FeedForward``.
        width: D.
        dropout: On what is added.
    """

    def __init__(self, own: nn.Module, cross: nn.Module, feed: nn.Module, width: int, dropout: float) -> None:
        super().__init__()
        self.own, self.cross, self.feed = own, cross, feed
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.dropout = Dropout(dropout)

    def forward(self, tokens: Float[Tensor, "B C n D"], exogenous: Float[Tensor, "B M D"]) -> Float[Tensor, "B C n D"]:
        """As many tokens as came."""
        flat = tokens.flatten(0, 1)
        tokens = self.norms[0](flat + self.dropout(self.own(flat, flat))).view_as(tokens)
        last = tokens[:, :, -1]
        last = self.norms[1](last + self.dropout(self.cross(last, exogenous)))
        tokens = torch.cat([tokens[:, :, :-1], last.unsqueeze(2)], 2)
        outputs: Tensor = self.norms[2](tokens + self.dropout(self.feed(tokens)))
        return outputs


MODEL = TimeXer
