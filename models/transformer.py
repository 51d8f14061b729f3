"""Transformer: an encoder-decoder with full attention that forecasts the whole horizon at once.

Vaswani, Shazeer, Parmar, Uszkoreit, Jones, Gomez, Kaiser and Polosukhin, "Attention Is All You Need", NeurIPS 2017.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from datasets.windows.batch import Inputs
from models.base import Forecaster, Use, WindowShape
from models.layers.arguments import at_least, fraction
from models.layers.attention import FullAttention, MultiHeadAttention
from models.layers.embedding import WindowEmbedding
from models.layers.normalisation import WindowNorm
from models.layers.start_token import last_steps, start_token
from models.layers.transformer import DecoderLayer, EncoderLayer, FeedForward


class Transformer(Forecaster):
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

    uses: ClassVar[frozenset[Use]] = frozenset({"covariates", "known", "observed"})

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
        super().__init__(shape)
        at_least(1, n_heads=n_heads, head_width=head_width, feedforward=feedforward)
        at_least(1, n_encoder_layers=n_encoder_layers, n_decoder_layers=n_decoder_layers)
        fraction(start_fraction=start_fraction)
        width = n_heads * head_width
        self.n_start = round(start_fraction * shape.lookback)
        self.norm = WindowNorm(norm, shape.n_targets)

        def attend(*, causal: bool = False) -> MultiHeadAttention:
            return MultiHeadAttention(FullAttention(causal=causal), width, n_heads, head_width)

        def feed() -> FeedForward:
            return FeedForward(width, feedforward, activation, dropout)

        n_values, n_known = shape.n_targets + shape.n_past_covariates, shape.n_known
        self.encoder_embedding = WindowEmbedding(n_values, n_known, shape.lookback, width, dropout)
        self.encoder = nn.Sequential(
            *(EncoderLayer(attend(), feed(), width, dropout) for _ in range(n_encoder_layers)), nn.LayerNorm(width)
        )
        self.decoder_embedding = WindowEmbedding(shape.n_targets, n_known, self.n_start + shape.horizon, width, dropout)
        self.decoder = nn.ModuleList(
            DecoderLayer(attend(causal=True), attend(), feed(), width, dropout) for _ in range(n_decoder_layers)
        )
        self.decoder_norm = nn.LayerNorm(width)
        self.projection = nn.Linear(width, shape.n_targets * shape.n_outputs)

    def forward(self, inputs: Inputs) -> Float[Tensor, "B H C O"]:
        """The outputs for all steps of the horizon in one pass."""
        past, statistics = self.norm(inputs.past_target, inputs.past_observed)
        memory = self.encoder(self.encoder_embedding(torch.cat([past, inputs.past_covariates], -1), inputs.past_known))
        known = torch.cat([last_steps(inputs.past_known, self.n_start), inputs.future_known], 1)
        decoded = self.decoder_embedding(start_token(past, self.n_start, self.shape.horizon), known)
        for layer in self.decoder:
            decoded = layer(decoded, memory)
        horizon = self.decoder_norm(decoded[:, self.n_start :])
        outputs: Tensor = self.projection(horizon).unflatten(-1, (self.shape.n_targets, self.shape.n_outputs))
        return self.norm.restore(outputs, statistics)


MODEL = Transformer
