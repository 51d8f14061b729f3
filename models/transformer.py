"""Transformer: an encoder-decoder with full attention that forecasts the whole horizon at once.

Vaswani, Shazeer, Parmar, Uszkoreit, Jones, Gomez, Kaiser and Polosukhin, "Attention Is All You Need", NeurIPS 2017.
"""

from __future__ import annotations

from typing import Literal

from models.base import WindowShape
from models.layers.arguments import at_least, fraction
from models.layers.attention import FullAttention, MultiHeadAttention
from models.layers.encoder_decoder import EncoderDecoder
from models.layers.normalisation import WindowNorm
from models.layers.transformer import DecoderLayer, EncoderLayer, FeedForward


class Transformer(EncoderDecoder):
    """Transformer (Vaswani et al., NeurIPS 2017), for numbers instead of words.

    - Each step becomes a vector: its values, its place (section 3.5), its calendar features.
    - The encoder is a stack of multi-head self-attention (equation 1 and section 3.2.2) and feed-forward layers (equation 2),
      each added to its input and layer-normed.
    - The decoder attends to itself without looking ahead, then to the encoder.

    Departures from the paper, all as in the full-attention Informer of Zhou et al., AAAI 2021: the decoder gives the whole
    horizon in one pass, from the last steps of the past followed by zeros (its equation 6); one decoder layer, gelu, a last
    layer norm after each stack. Attention weights have no dropout, which lets fused kernels run. A norm of the window around
    the network is off by default.

    Args:
        shape: The sizes of a window. K may be 0.
        n_heads: Attention heads.
        head_width: Width of each. The width of the network is n_heads * head_width: the paper's 512 is 8 * 64.
        n_encoder_layers: Layers of the encoder.
        n_decoder_layers: Layers of the decoder.
        feedforward: Width between the two maps of each feed-forward layer.
        dropout: On embeddings, inside feed-forward layers, on what each layer adds.
        activation: Of the feed-forward layers: gelu or relu.
        start_fraction: Known steps that the decoder reads, as a fraction of the lookback, in [0, 1].
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
        dropout: float = 0.1,
        activation: Literal["gelu", "relu"] = "gelu",
        start_fraction: float = 0.5,
        norm: Literal["none", "last", "revin"] = "none",
    ) -> None:
        at_least(1, n_heads=n_heads, head_width=head_width, feedforward=feedforward)
        at_least(1, n_encoder_layers=n_encoder_layers, n_decoder_layers=n_decoder_layers)
        fraction(start_fraction=start_fraction)
        width = n_heads * head_width

        def attend(*, causal: bool = False) -> MultiHeadAttention:
            return MultiHeadAttention(FullAttention(causal=causal), width, n_heads, head_width)

        def feed() -> FeedForward:
            return FeedForward(width, feedforward, activation, dropout)

        super().__init__(
            shape,
            [EncoderLayer(attend(), feed(), width, dropout) for _ in range(n_encoder_layers)],
            [DecoderLayer(attend(causal=True), attend(), feed(), width, dropout) for _ in range(n_decoder_layers)],
            width=width,
            dropout=dropout,
            n_start=round(start_fraction * shape.lookback),
            norm=WindowNorm(norm, shape.n_targets),
        )


MODEL = Transformer
