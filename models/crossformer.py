"""Crossformer: segments of each channel attend along time, then across channels through a few routers.

Zhang and Yan, "Crossformer: Transformer Utilizing Cross-Dimension Dependency for Multivariate Time Series Forecasting", ICLR
2023.
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
from models.layers.normalisation import WindowNorm
from models.layers.patching import patches
from models.layers.transformer import EncoderLayer, FeedForward


class Crossformer(Forecaster):
    """Crossformer (Zhang and Yan, ICLR 2023), for channels that depend on each other.

    - Dimension-segment-wise embedding: h = E x + e, one token for each segment of each channel, with a learned place e of
      (channel, segment) (equation 2). The first value is repeated in front until the segments fit.
    - Two-stage attention: self-attention along the segments of a channel and a feed-forward network (equation 3); then, at
      each segment, learned routers gather from all channels, and the channels read from the routers (equation 4).
    - The encoder sees the past at n_layers scales: from the second on a linear map merges two neighbouring segments (equation
      5); each scale has one two-stage attention.
    - The decoder starts from learned places of the horizon's segments and has a layer for the embedding and each scale:
      two-stage attention, then attention of each channel to its segments of that scale (equation 7). The forecast is the sum
      of a linear map of every layer (equation 8).

    Departures from the paper: a norm of the window around the network, off by default; a last segment without a neighbour is
    merged with itself, as in the authors' code; attention weights have no dropout (fused kernels go without, and are faster).

    Args:
        shape: The sizes of a window. Calendar features and covariates are not used.
        segment_length: Steps of a segment, of the past and of the horizon.
        n_heads: Attention heads.
        head_width: Width of each. The width of a token is n_heads * head_width: the paper's 256 is 4 * 64.
        n_layers: Scales of the encoder; the decoder has one layer more.
        n_routers: Routers of each segment.
        feedforward: Width between the two maps of each feed-forward network.
        dropout: On what each layer adds.
        norm: Level and spread of the observed past, which the network does not see: none, last (value), revin (see WindowNorm).

    Raises:
        ValueError: an argument is out of its range.
    """

    uses: ClassVar[frozenset[Use]] = frozenset({"observed"})

    def __init__(
        self,
        shape: WindowShape,
        *,
        segment_length: int = 6,
        n_heads: int = 4,
        head_width: int = 64,
        n_layers: int = 3,
        n_routers: int = 10,
        feedforward: int = 512,
        dropout: float = 0.2,
        norm: Literal["none", "last", "revin"] = "none",
    ) -> None:
        super().__init__(shape)
        at_least(1, segment_length=segment_length, n_heads=n_heads, head_width=head_width)
        at_least(1, n_layers=n_layers, n_routers=n_routers, feedforward=feedforward)
        width = n_heads * head_width
        self.segment_length = segment_length
        n_past, n_future = (-(-steps // segment_length) for steps in (shape.lookback, shape.horizon))
        self.norm = WindowNorm(norm, shape.n_targets)

        def attend() -> MultiHeadAttention:
            return MultiHeadAttention(FullAttention(), width, n_heads, head_width)

        def layer(attention: nn.Module) -> EncoderLayer:
            return EncoderLayer(attention, FeedForward(width, feedforward, "gelu", 0.0), width, dropout)

        def two_stages(n_segments: int) -> TwoStageAttention:
            routers = RouterAttention(attend(), attend(), n_segments, n_routers, width)
            return TwoStageAttention(layer(attend()), layer(routers))

        self.embedding = nn.Linear(segment_length, width)
        self.places = nn.Parameter(torch.randn(shape.n_targets, n_past, width))
        self.embedding_norm = nn.LayerNorm(width)
        self.encoder = nn.ModuleList([two_stages(n_past)])
        for _ in range(1, n_layers):
            n_past = SegmentMerging.segments(n_past)
            self.encoder.append(nn.Sequential(SegmentMerging(width), two_stages(n_past)))

        self.future_places = nn.Parameter(torch.randn(shape.n_targets, n_future, width))
        self.decoder = nn.ModuleList(two_stages(n_future) for _ in range(n_layers + 1))
        self.cross = nn.ModuleList(layer(attend()) for _ in range(n_layers + 1))
        self.projections = nn.ModuleList(nn.Linear(width, segment_length * shape.n_outputs) for _ in range(n_layers + 1))

    def forward(self, inputs: Inputs) -> Float[Tensor, "B H C O"]:
        """The sum of what each layer of the decoder forecasts."""
        past, statistics = self.norm(inputs.past_target, inputs.past_observed)
        scales = [self.embed(past)]
        for block in self.encoder:
            scales.append(block(scales[-1]))
        decoded = self.future_places.expand(len(past), -1, -1, -1)
        forecasts = []
        for own, cross, project, memory in zip(self.decoder, self.cross, self.projections, scales, strict=True):
            decoded = cross(own(decoded).flatten(0, 1), memory=memory.flatten(0, 1)).view_as(decoded)
            forecasts.append(project(decoded))
        outputs = torch.stack(forecasts).sum(0).view(*past.shape[::2], -1, self.shape.n_outputs)
        return self.norm.restore(outputs[:, :, : self.shape.horizon].transpose(1, 2), statistics)

    def embed(self, past: Float[Tensor, "B L C"]) -> Float[Tensor, "B C n D"]:
        """One token for each segment of each channel."""
        segments = patches(past.mT, self.segment_length, self.segment_length, before=-past.shape[1] % self.segment_length)
        tokens: Tensor = self.embedding_norm(self.embedding(segments) + self.places)
        return tokens


class TwoStageAttention(nn.Module):
    """Along the segments of each channel, then across the channels of each segment.

    Args:
        time: A layer around self-attention.
        channels: A layer around ``RouterAttention``.
    """

    def __init__(self, time: EncoderLayer, channels: EncoderLayer) -> None:
        super().__init__()
        self.time, self.channels = time, channels

    def forward(self, tokens: Float[Tensor, "B C n D"]) -> Float[Tensor, "B C n D"]:
        """As many tokens as came."""
        across = self.time(tokens.flatten(0, 1)).view_as(tokens).transpose(1, 2)
        outputs: Tensor = self.channels(across.flatten(0, 1)).view_as(across)
        return outputs.transpose(1, 2)


class RouterAttention(nn.Module):
    """The channels of a segment attend to what its routers gathered from them: linear in the number of channels.

    Args:
        gather: The attention of the routers to the channels; called with (queries, memory), like ``spread``.
        spread: The attention of the channels to the routers.
        n_segments: n; each has routers of its own.
        n_routers: Routers of a segment.
        width: D.
    """

    def __init__(self, gather: nn.Module, spread: nn.Module, n_segments: int, n_routers: int, width: int) -> None:
        super().__init__()
        self.gather, self.spread = gather, spread
        self.routers = nn.Parameter(torch.randn(n_segments, n_routers, width))

    def forward(self, channels: Float[Tensor, "Bn C D"], memory: Float[Tensor, "Bn C D"]) -> Float[Tensor, "Bn C D"]:
        """What the channels read of ``memory``: B windows of n segments."""
        routers = self.routers.repeat(len(channels) // len(self.routers), 1, 1)
        outputs: Tensor = self.spread(channels, self.gather(routers, memory))
        return outputs


class SegmentMerging(nn.Module):
    """A linear map of every two neighbouring segments, side by side, to one (equation 5)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(2 * width)
        self.linear = nn.Linear(2 * width, width)

    @staticmethod
    def segments(n_segments: int) -> int:
        """How many come out of ``n_segments``."""
        return (n_segments + 1) // 2

    def forward(self, tokens: Float[Tensor, "B C n D"]) -> Float[Tensor, "B C half D"]:
        """Half the segments, rounded up."""
        even, odd = tokens[:, :, ::2], tokens[:, :, 1::2]
        if tokens.shape[2] % 2:
            odd = torch.cat([odd, tokens[:, :, -1:]], 2)
        outputs: Tensor = self.linear(self.norm(torch.cat([even, odd], -1)))
        return outputs


MODEL = Crossformer
