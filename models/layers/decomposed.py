"""The encoder-decoder of Autoformer and FEDformer: series decomposition after every block."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor, nn

from datasets.windows.batch import Inputs
from models.base import WindowShape
from models.layers.decomposition import Decomposition
from models.layers.dropout import Dropout
from models.layers.embedding import CircularConv, WindowEmbedding
from models.layers.normalisation import with_means
from models.layers.start_token import last_steps, start_token
from models.layers.transformer import FeedForward


class DecomposedEncoderDecoder(nn.Module):
    """Seasonal parts go through the network, trends add up beside it (Wu et al., NeurIPS 2021, section 3.1).

    The decoder reads the seasonal part of the last known steps, then zeros. The trend of the horizon starts at the mean of the
    observed past (equation 2); each decoder layer adds to it what its decompositions take out, by a map of its own (equation
    4). Places are not embedded.
    No layer has a bias: the decompositions take constants out of the seasonal part, and the last map has one.

    Args:
        shape: The sizes of a window.
        width: D.
        own: Makes a self-attention for so many steps; it is called with (queries, memory).
        cross: Makes an attention of so many steps to so many others.
        n_encoder_layers: Layers of the encoder.
        n_decoder_layers: Layers of the decoder.
        feedforward: Width between the two maps of each feed-forward layer.
        dropout: On embeddings, inside feed-forward layers, on what each block adds.
        activation: Of the feed-forward layers.
        n_start: Known steps that the decoder reads.
        kernels: Of the decompositions.
    """

    def __init__(
        self,
        shape: WindowShape,
        *,
        width: int,
        own: Callable[[int], nn.Module],
        cross: Callable[[int, int], nn.Module],
        n_encoder_layers: int,
        n_decoder_layers: int,
        feedforward: int,
        dropout: float,
        activation: str,
        n_start: int,
        kernels: tuple[int, ...],
    ) -> None:
        super().__init__()
        self.shape, self.n_start = shape, n_start
        lookback, length = shape.lookback, n_start + shape.horizon

        def embed(n_values: int, steps: int) -> WindowEmbedding:
            return WindowEmbedding(n_values, shape.n_known, steps, width, dropout, positions=False)

        def feed() -> FeedForward:
            return FeedForward(width, feedforward, activation, dropout, bias=False)

        self.decomposition = Decomposition(lookback, kernels)
        self.encoder_embedding = embed(shape.n_targets + shape.n_past_covariates, lookback)
        self.encoder = nn.Sequential(
            *(DecomposedEncoderLayer(own(lookback), feed(), lookback, kernels, dropout) for _ in range(n_encoder_layers)),
            SeasonalNorm(width),
        )
        self.decoder_embedding = embed(shape.n_targets, length)
        self.decoder = nn.ModuleList(
            DecomposedDecoderLayer(own(length), cross(length, lookback), feed(), length, kernels, dropout)
            for _ in range(n_decoder_layers)
        )
        self.decoder_norm = SeasonalNorm(width)
        self.seasonal = nn.Linear(width, shape.n_targets * shape.n_outputs)
        self.trends = nn.ModuleList(
            CircularConv(width, shape.n_targets * shape.n_outputs, bias=False) for _ in range(n_decoder_layers)
        )

    def forward(self, past: Float[Tensor, "B L C"], inputs: Inputs) -> Float[Tensor, "B H C O"]:
        """The outputs for all steps of the horizon in one pass, from a past that may be normalised."""
        memory = self.encoder(self.encoder_embedding(torch.cat([past, inputs.past_covariates], -1), inputs.past_known))
        seasonal, _ = self.decomposition(past)
        known = torch.cat([last_steps(inputs.past_known, self.n_start), inputs.future_known], 1)
        decoded = self.decoder_embedding(start_token(seasonal, self.n_start, self.shape.horizon), known)
        trends = []
        for layer, to_targets in zip(self.decoder, self.trends, strict=True):
            decoded, trend = layer(decoded, memory)
            trends.append(to_targets(trend))
        outputs = (self.seasonal(self.decoder_norm(decoded)) + sum(trends))[:, self.n_start :]
        outputs = outputs.unflatten(-1, (self.shape.n_targets, self.shape.n_outputs))
        start = with_means(past, inputs.past_observed)[0].mean(1, keepdim=True)
        location = outputs[..., :1] + start.unsqueeze(-1)
        return torch.cat([location, outputs[..., 1:]], -1)


class DecomposedEncoderLayer(nn.Module):
    """Self-attention and feed-forward; each is added to its input, of which the seasonal part goes on (equation 3)."""

    def __init__(self, attention: nn.Module, feed: nn.Module, length: int, kernels: tuple[int, ...], dropout: float) -> None:
        super().__init__()
        self.attention, self.feed = attention, feed
        self.decompositions = nn.ModuleList(Decomposition(length, kernels) for _ in range(2))
        self.dropout = Dropout(dropout)

    def forward(self, steps: Float[Tensor, "B T D"]) -> Float[Tensor, "B T D"]:
        """The seasonal part; trends of the past are dropped."""
        steps, _ = self.decompositions[0](steps + self.dropout(self.attention(steps, steps)))
        seasonal: Tensor = self.decompositions[1](steps + self.dropout(self.feed(steps)))[0]
        return seasonal


class DecomposedDecoderLayer(nn.Module):
    """Self-attention, attention to the encoder's output, feed-forward; the seasonal part of each goes on (equation 4)."""

    def __init__(
        self, own: nn.Module, cross: nn.Module, feed: nn.Module, length: int, kernels: tuple[int, ...], dropout: float
    ) -> None:
        super().__init__()
        self.own, self.cross, self.feed = own, cross, feed
        self.decompositions = nn.ModuleList(Decomposition(length, kernels) for _ in range(3))
        self.dropout = Dropout(dropout)

    def forward(
        self, steps: Float[Tensor, "B T D"], memory: Float[Tensor, "B S D"]
    ) -> tuple[Float[Tensor, "B T D"], Float[Tensor, "B T D"]]:
        """The seasonal part, and the sum of the three trends."""
        steps, first = self.decompositions[0](steps + self.dropout(self.own(steps, steps)))
        steps, second = self.decompositions[1](steps + self.dropout(self.cross(steps, memory)))
        seasonal, third = self.decompositions[2](steps + self.dropout(self.feed(steps)))
        return seasonal, first + second + third


class SeasonalNorm(nn.Module):
    """Layer norm less its mean over time, as a seasonal part has none (the authors' code)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, bias=False)

    def forward(self, steps: Float[Tensor, "B T D"]) -> Float[Tensor, "B T D"]:
        """Of mean 0 over time in each channel."""
        normed: Tensor = self.norm(steps)
        return normed - normed.mean(1, keepdim=True)
