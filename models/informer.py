"""Informer: an encoder-decoder with ProbSparse attention that forecasts the whole horizon at once.

Zhou, Zhang, Peng, Zhang, Li, Xiong and Zhang, "Informer: Beyond Efficient Transformer for Long Sequence Time-Series
Forecasting", AAAI 2021.
"""

from __future__ import annotations

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
      distilling halves the steps: MaxPool(ELU(Conv1d(x))) (equation 5).
    - The decoder reads the last known steps of the past, the start token, followed by zeros in the place of the horizon
      (equation 6), and the calendar of both. It attends to itself without looking ahead, then to the encoder. Its last H
      steps, through one linear map, are the forecast: one pass, no recursion.

    Departures from the paper: no stack of encoders over halved inputs (the official ETTh1 recipes use one encoder); a norm of
    the window around the network, off by default; attention weights have no dropout, which in the authors' code those of full
    attention have (fused kernels go without, and are faster); no bias before a batch norm, which would cancel it.

    Args:
        shape: The sizes of a window. K may be 0.
        n_heads: Attention heads.
        head_width: Width of each. The width of the network is n_heads * head_width: the paper's 512 is 8 * 64.
        n_encoder_layers: Self-attention layers of the encoder.
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
        at_least(1, n_encoder_layers=n_encoder_layers, n_decoder_layers=n_decoder_layers)
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

        encoder: list[nn.Module] = []
        length = shape.lookback
        for layer in range(n_encoder_layers):
            if layer and distil:
                encoder.append(Distilling(width))
                length = Distilling.steps(length)
            encoder.append(EncoderLayer(attend(length), feed(), width, dropout))
        super().__init__(
            shape,
            encoder,
            [decoder_layer() for _ in range(n_decoder_layers)],
            width=width,
            dropout=dropout,
            n_start=n_start,
            norm=WindowNorm(norm, shape.n_targets),
        )


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
