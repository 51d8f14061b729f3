"""Informer: an encoder-decoder with ProbSparse attention that forecasts the whole horizon at once.

Zhou, Zhang, Peng, Zhang, Li, Xiong and Zhang, "Informer: Beyond Efficient Transformer for Long Sequence Time-Series
Forecasting", AAAI 2021.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from models.base import WindowShape
from models.layers.arguments import at_least, fraction, one_of
from models.layers.attention import FullAttention, MultiHeadAttention, ProbSparseAttention
from models.layers.embedding import CircularConv
from models.layers.encoder_decoder import EncoderDecoder
from models.layers.normalisation import TokenBatchNorm, WindowNorm
from models.layers.transformer import DecoderLayer, EncoderLayer, FeedForward


class Informer(EncoderDecoder):
    """Informer (Zhou et al., AAAI 2021), for many channels at once.

    - Each step becomes a vector: its values, its place, its calendar features (appendix B).
    - The encoder is a stack of ProbSparse self-attention (equations 3 and 4) and feed-forward layers; between two of them,
      distilling halves the steps: MaxPool(ELU(Conv1d(x))) (equation 5). Further stacks may stand beside it, each one layer less
      high than the one before, over the later half of its steps; what they give is joined along time (figures 2 and 3).
    - The decoder reads the last known steps of the past, the start token, followed by zeros in the place of the horizon
      (equation 6), and the calendar of both. It attends to itself without looking ahead, then to the encoder. Its last H
      steps, through one linear map, are the forecast: one pass, no recursion.

    Departures from the paper: one stack by default, as in the authors' ETTh1 recipes; a norm of the window around the network,
    off by default; attention weights have no dropout, which in the authors' code those of full attention have (fused kernels
    go without, and are faster); no bias before a batch norm, which would cancel it.

    Args:
        shape: The sizes of a window. K may be 0.
        n_heads: Attention heads.
        head_width: Width of each. The width of the network is n_heads * head_width: the paper's 512 is 8 * 64.
        n_encoder_layers: Self-attention layers of the encoder, or of the first of its stacks.
        n_stacks: Of the encoder, at most n_encoder_layers. Stack i = 0, 1, ... has n_encoder_layers - i layers and reads the
            last lookback // 2^i steps, at least one: the authors' s_layers 3,2,1 is n_encoder_layers=3, n_stacks=3.
        n_decoder_layers: Layers of the decoder.
        feedforward: Width between the two maps of each feed-forward layer.
        dropout: On embeddings, inside feed-forward layers, on what each layer adds.
        factor: ProbSparse attention: factor * ceil(ln(steps)) keys are drawn, and as many queries attend.
        attention: prob or full.
        distil: Halve the steps between encoder layers.
        mix: Join the heads of the decoder's self-attention along time, as the authors' code does.
        activation: Of the feed-forward layers: gelu or relu.
        start_fraction: Length of the start token as a fraction of the lookback, in [0, 1].
        norm: Level and spread of the observed past, which the network does not see: none, last (value), revin (see WindowNorm).

    Raises:
        ValueError: an argument is out of its range.
    """

    def __init__(
        self,
        shape: WindowShape,
        *,
        n_heads: int = 8,
        head_width: int = 64,
        n_encoder_layers: int = 2,
        n_stacks: int = 1,
        n_decoder_layers: int = 1,
        feedforward: int = 2048,
        dropout: float = 0.05,
        factor: int = 5,
        attention: Literal["prob", "full"] = "prob",
        distil: bool = True,
        mix: bool = True,
        activation: Literal["gelu", "relu"] = "gelu",
        start_fraction: float = 0.5,
        norm: Literal["none", "last", "revin"] = "none",
    ) -> None:
        at_least(1, n_heads=n_heads, head_width=head_width, feedforward=feedforward, factor=factor)
        at_least(1, n_encoder_layers=n_encoder_layers, n_stacks=n_stacks, n_decoder_layers=n_decoder_layers)
        if n_stacks > n_encoder_layers:
            raise ValueError(
                f"model.n_stacks must not exceed n_encoder_layers, got n_stacks={n_stacks}, "
                f"n_encoder_layers={n_encoder_layers}; use {n_encoder_layers} or less"
            )
        one_of(("prob", "full"), attention=attention)
        fraction(start_fraction=start_fraction)
        width = n_heads * head_width
        n_start = round(start_fraction * shape.lookback)

        def attend(length: int, *, causal: bool = False) -> MultiHeadAttention:
            kernel: nn.Module = FullAttention(causal=causal)
            if attention == "prob":
                kernel = ProbSparseAttention(length, length, factor=factor, causal=causal)
            return MultiHeadAttention(kernel, width, n_heads, head_width, mix=mix and causal)

        def feed() -> FeedForward:
            return FeedForward(width, feedforward, activation, dropout)

        def decoder_layer() -> DecoderLayer:
            own = attend(n_start + shape.horizon, causal=True)
            return DecoderLayer(own, MultiHeadAttention(FullAttention(), width, n_heads, head_width), feed(), width, dropout)

        def encoder_layers(n_layers: int, length: int) -> list[nn.Module]:
            layers: list[nn.Module] = []
            for layer in range(n_layers):
                if layer and distil:
                    layers.append(Distilling(width))
                    length = Distilling.steps(length)
                layers.append(EncoderLayer(attend(length), feed(), width, dropout))
            return layers

        stacks = [encoder_layers(n_encoder_layers - i, Stacks.steps(shape.lookback, i)) for i in range(n_stacks)]
        super().__init__(
            shape,
            stacks[0] if n_stacks == 1 else [Stacks(nn.Sequential(*layers, nn.LayerNorm(width)) for layers in stacks)],
            [decoder_layer() for _ in range(n_decoder_layers)],
            width=width,
            dropout=dropout,
            n_start=n_start,
            norm=WindowNorm(norm, shape.n_targets),
        )
        if n_stacks > 1:
            self.encoder_norm = nn.Identity()  # each stack has its own


class Stacks(nn.Module):
    """Encoders side by side: encoder i = 0, 1, ... reads the last 1 / 2^i of the steps.

    Args:
        encoders: Steps to steps.
    """

    def __init__(self, encoders: Iterable[nn.Module]) -> None:
        super().__init__()
        self.encoders = nn.ModuleList(encoders)

    @staticmethod
    def steps(length: int, i: int) -> int:
        """How many of the last steps encoder i reads; at least one."""
        return max(length >> i, 1)

    def forward(self, steps: Float[Tensor, "B T D"]) -> Float[Tensor, "B all D"]:
        """What the encoders give, one after the other along time."""
        length = steps.shape[1]
        return torch.cat([encoder(steps[:, length - self.steps(length, i) :]) for i, encoder in enumerate(self.encoders)], 1)


class Distilling(nn.Module):
    """Convolution of kernel 3, batch norm, ELU, then the largest of three steps at every second step (equation 5)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = CircularConv(width, width, bias=False)
        self.norm = TokenBatchNorm(width)

    @staticmethod
    def steps(length: int) -> int:
        """How many steps come out of ``length``."""
        return (length + 1) // 2

    def forward(self, steps: Float[Tensor, "B T D"]) -> Float[Tensor, "B half D"]:
        """Half the steps, rounded up."""
        filtered: Tensor = self.norm(self.conv(steps))
        # Maxima of slices instead of a pooling layer: channels stay last, and the gradient is deterministic on a GPU.
        padded = F.pad(F.elu(filtered), (0, 0, 1, steps.shape[1] % 2), value=-torch.inf)
        return torch.maximum(torch.maximum(padded[:, 0:-2:2], padded[:, 1:-1:2]), padded[:, 2::2])


MODEL = Informer
