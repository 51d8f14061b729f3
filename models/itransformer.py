"""iTransformer: a token is a whole channel, and attention runs between channels.

Liu, Hu, Zhang, Wu, Wang, Ma and Long, "iTransformer: Inverted Transformers Are Effective for Time Series Forecasting", ICLR
2024.
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
from models.layers.embedding import ChannelEmbedding
from models.layers.normalisation import WindowNorm
from models.layers.transformer import EncoderLayer, FeedForward


class ITransformer(Forecaster):
    """iTransformer (Liu et al., ICLR 2024), for channels that depend on each other.

    - Embedding: one linear map makes the past of a channel a token (section 3.1, equation 1). There are no positions: the
      order of the steps lies in the weights. Covariates and known features are tokens too.
    - A stack of encoder layers: self-attention between the tokens, then a feed-forward network on each (equation 1, section
      3.2), each added and layer-normed over a token's features (equation 2).
    - Projection: one linear map makes each target's last token its future (equation 1).

    Departures from the paper: a known feature's token holds its future as well, through a map of its own (the authors' code
    embeds the calendar of the past with the map of the channels); revin has a learned affine map for each channel, which
    their normalisation lacks; attention weights have no dropout (fused kernels go without, and are faster).

    Args:
        shape: The sizes of a window. K may be 0.
        n_heads: Attention heads.
        head_width: Width of each. The width of a token is n_heads * head_width: the paper's 512 is 8 * 64.
        n_layers: Encoder layers.
        feedforward: Width between the two maps of each feed-forward network.
        dropout: On tokens, inside feed-forward networks, on what each layer adds.
        activation: Of the feed-forward networks: gelu or relu.
        norm: Level and spread of the observed past, which the network does not see: none, last (value), revin (see WindowNorm).
            Covariates keep theirs.

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
        n_layers: int = 2,
        feedforward: int = 512,
        dropout: float = 0.1,
        activation: Literal["gelu", "relu"] = "gelu",
        norm: Literal["none", "last", "revin"] = "revin",
    ) -> None:
        super().__init__(shape)
        at_least(1, n_heads=n_heads, head_width=head_width, n_layers=n_layers, feedforward=feedforward)
        width = n_heads * head_width
        self.norm = WindowNorm(norm, shape.n_targets)
        self.embedding = ChannelEmbedding(shape.lookback, shape.horizon, shape.n_known, width, dropout)
        self.encoder = nn.Sequential(
            *(
                EncoderLayer(
                    MultiHeadAttention(FullAttention(), width, n_heads, head_width),
                    FeedForward(width, feedforward, activation, dropout),
                    width,
                    dropout,
                )
                for _ in range(n_layers)
            ),
            nn.LayerNorm(width),
        )
        self.projection = nn.Linear(width, shape.horizon * shape.n_outputs)

    def forward(self, inputs: Inputs) -> Float[Tensor, "B H C O"]:
        """The outputs of each target from its token."""
        past, statistics = self.norm(inputs.past_target, inputs.past_observed)
        channels = torch.cat([past, inputs.past_covariates], -1)
        tokens = self.encoder(self.embedding(channels, inputs.past_known, inputs.future_known))
        outputs: Tensor = self.projection(tokens[:, : self.shape.n_targets])
        outputs = outputs.view(*past.shape[::2], self.shape.horizon, self.shape.n_outputs).transpose(1, 2)
        return self.norm.restore(outputs, statistics)


MODEL = ITransformer
