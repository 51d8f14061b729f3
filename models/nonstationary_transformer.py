"""Non-stationary Transformer: stationary series through the network, and attention that knows what was taken out of them.

Liu, Wu, Wang and Long, "Non-stationary Transformers: Exploring the Stationarity in Time Series Forecasting", NeurIPS 2022.
"""

from __future__ import annotations

import math
from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from datasets.windows.batch import Inputs
from models.base import WindowShape
from models.layers.arguments import at_least, fraction
from models.layers.attention import MultiHeadAttention
from models.layers.encoder_decoder import EncoderDecoder
from models.layers.normalisation import WindowNorm, WindowStatistics
from models.layers.transformer import DecoderLayer, EncoderLayer, FeedForward


class NonstationaryTransformer(EncoderDecoder):
    """Non-stationary Transformer (Liu et al., NeurIPS 2022): a Transformer inside two changes.

    - Series stationarisation (equations 1 and 2): the past of each window is standardised by its own mean and standard
      deviation, which go back into the forecast. There are no learned weights in it, unlike in RevIN.
    - De-stationary attention (equation 6), softmax((tau Q K' + 1 delta') / sqrt(D)) V: the scale tau > 0 and the shift delta of
      each key approximate the attention that the raw series would have had. log tau = MLP(standard deviation, raw past) and
      delta = MLP(mean, raw past) are shared by all layers (equation 7).
    - The rest is the Transformer of ``models.transformer``: one decoder pass from the last known steps followed by zeros.

    Departures from the paper: the decoder's self-attention is scaled, not shifted, as in the authors' code, because delta
    belongs to the steps of the encoder; an MLP reads the past of each channel through one map along time, where the authors'
    code convolves across neighbouring channels, whose order means nothing; log tau is held within 10, so that no window
    overflows; attention weights have no dropout, which lets fused kernels run.

    Args:
        shape: The sizes of a window. K may be 0.
        n_heads: Attention heads.
        head_width: Width of each. The width of the network is n_heads * head_width: the paper's 512 is 8 * 64.
        n_encoder_layers: Layers of the encoder.
        n_decoder_layers: Layers of the decoder.
        feedforward: Width between the two maps of each feed-forward layer.
        dropout: On embeddings, inside feed-forward layers, on what each layer adds.
        factor_width: Width of the two hidden layers behind tau and behind delta.
        activation: Of the feed-forward layers: gelu or relu.
        start_fraction: Known steps that the decoder reads, as a fraction of the lookback, in [0, 1].

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
        factor_width: int = 256,
        activation: Literal["gelu", "relu"] = "gelu",
        start_fraction: float = 0.5,
    ) -> None:
        at_least(1, n_heads=n_heads, head_width=head_width, feedforward=feedforward, factor_width=factor_width)
        at_least(1, n_encoder_layers=n_encoder_layers, n_decoder_layers=n_decoder_layers)
        fraction(start_fraction=start_fraction)
        width = n_heads * head_width

        def attend(*, causal: bool = False) -> MultiHeadAttention:
            return MultiHeadAttention(DeStationaryAttention(causal=causal), width, n_heads, head_width)

        def feed() -> FeedForward:
            return FeedForward(width, feedforward, activation, dropout)

        super().__init__(
            shape,
            [EncoderLayer(attend(), feed(), width, dropout) for _ in range(n_encoder_layers)],
            [DecoderLayer(attend(causal=True), attend(), feed(), width, dropout) for _ in range(n_decoder_layers)],
            width=width,
            dropout=dropout,
            n_start=round(start_fraction * shape.lookback),
            norm=WindowNorm("revin", shape.n_targets, affine=False),
        )
        self.log_tau = FactorLearner(shape.lookback, shape.n_targets, factor_width, 1)
        self.delta = FactorLearner(shape.lookback, shape.n_targets, factor_width, shape.lookback)

    def factors(self, inputs: Inputs, statistics: WindowStatistics) -> tuple[Tensor, ...]:
        """tau and delta, from what the norm took away."""
        tau = self.log_tau(inputs.past_target, statistics.scale).clamp(-10, 10).exp()
        return tau, self.delta(inputs.past_target, statistics.loc)


class FactorLearner(nn.Module):
    """From the raw past and one statistic of each channel to so many numbers a window (equation 7).

    Args:
        lookback: L.
        n_channels: C.
        width: Of the two hidden layers.
        n_factors: How many numbers come out.
    """

    def __init__(self, lookback: int, n_channels: int, width: int, n_factors: int) -> None:
        super().__init__()
        self.past = nn.Linear(lookback, 1, bias=False)
        self.layers = nn.Sequential(
            nn.Linear(2 * n_channels, width),
            nn.ReLU(),
            nn.Linear(width, width),
            nn.ReLU(),
            nn.Linear(width, n_factors, bias=False),
        )

    def forward(self, past: Float[Tensor, "B L C"], statistic: Float[Tensor, "B 1 C"]) -> Float[Tensor, "B 1 1 n"]:
        """Ready to be broadcast over heads and queries."""
        features = torch.cat([self.past(past.mT).squeeze(-1), statistic.squeeze(1)], -1)
        factors: Tensor = self.layers(features)
        return factors[:, None, None]


class DeStationaryAttention(nn.Module):
    """softmax((tau Q K' + 1 delta') / sqrt(D)) V (equation 6).

    Args:
        causal: A query sees no key after its own place. Without delta, which belongs to the steps of the encoder.
    """

    def __init__(self, *, causal: bool = False) -> None:
        super().__init__()
        self.causal = causal

    def forward(
        self,
        queries: Float[Tensor, "B N Q D"],
        keys: Float[Tensor, "B N T D"],
        values: Float[Tensor, "B N T D"],
        tau: Float[Tensor, "B 1 1 1"],
        delta: Float[Tensor, "B 1 1 S"],
    ) -> Float[Tensor, "B N Q D"]:
        """One output a query and head."""
        queries = queries * tau.to(queries.dtype)
        if self.causal:
            return F.scaled_dot_product_attention(queries, keys, values, is_causal=True)
        shift = (delta / math.sqrt(queries.shape[-1])).to(queries.dtype)
        shift = shift.expand(-1, -1, queries.shape[-2], -1)
        return F.scaled_dot_product_attention(queries, keys, values, attn_mask=shift)


MODEL = NonstationaryTransformer
