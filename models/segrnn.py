"""SegRNN: a GRU over segments instead of steps, and all segments of the horizon at once from its last state.

Lin, Lin, Wu, Zhao, Mo and Zhang, "SegRNN: Segment Recurrent Neural Network for Long-Term Time Series Forecasting",
arXiv:2308.11200, 2023.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from datasets.windows.batch import Inputs
from models.base import Forecaster, Use, WindowShape
from models.layers.arguments import at_least
from models.layers.dropout import Dropout
from models.layers.normalisation import WindowNorm
from models.layers.patching import patches
from models.layers.recurrent import Recurrent


class SegRNN(Forecaster):
    """SegRNN (Lin et al., arXiv:2308.11200, 2023) with parallel decoding (PMF), each channel by itself.

    - The past less its last value is cut into segments; each becomes a vector: ReLU(W s + b) (section 3.2).
    - A GRU reads them one after the other.
    - Decoding: for each segment of the horizon the same GRU takes one step from its last state, with the place of the segment
      and the channel, half a vector each, as its input (section 3.3); one linear map makes a segment of what it puts out.

    Departure: a lookback that is no multiple of the segment begins with repetitions of its first value, the last segment of
    the horizon is cut.

    Args:
        shape: The sizes of a window. Calendar features and covariates are not used.
        segment: Steps of a segment, at most the lookback.
        width: D, of the state; even.
        dropout: Before the last map.
        norm: Level and spread of the observed past, which the network does not see: none, last (value), revin (see WindowNorm).

    Raises:
        ValueError: an argument is out of its range.
    """

    uses: ClassVar[frozenset[Use]] = frozenset({"observed"})

    def __init__(
        self,
        shape: WindowShape,
        *,
        segment: int = 24,
        width: int = 512,
        dropout: float = 0.5,
        norm: Literal["none", "last", "revin"] = "last",
    ) -> None:
        super().__init__(shape)
        at_least(1, segment=segment)
        at_least(2, width=width)
        if width % 2:
            raise ValueError(f"model.width must be even, half of it is for the place and half for the channel, got {width}")
        self.segment = min(segment, shape.lookback)
        self.n_ahead = -(-shape.horizon // self.segment)
        self.norm = WindowNorm(norm, shape.n_targets)
        self.embedding = nn.Linear(self.segment, width)
        self.recurrent = Recurrent("GRU", width, width)
        self.places = nn.Parameter(torch.randn(self.n_ahead, width // 2))
        self.channels = nn.Parameter(torch.randn(shape.n_targets, width // 2))
        self.dropout = Dropout(dropout)
        self.projection = nn.Linear(width, self.segment * shape.n_outputs)

    def forward(self, inputs: Inputs) -> Float[Tensor, "B H C O"]:
        """The outputs of each channel from its own past."""
        past, statistics = self.norm(inputs.past_target, inputs.past_observed)
        segments = patches(past.mT.flatten(0, 1), self.segment, self.segment, before=-past.shape[1] % self.segment)
        _, (last,) = self.recurrent(F.relu(self.embedding(segments)))
        queries = torch.cat(
            [
                self.places.unsqueeze(0).expand(len(self.channels), -1, -1),
                self.channels.unsqueeze(1).expand(-1, self.n_ahead, -1),
            ],
            -1,
        )
        queries = queries.repeat(len(past), 1, 1).view(-1, 1, queries.shape[-1])  # windows, channels, segments
        decoded, _ = self.recurrent(queries, (last.repeat_interleave(self.n_ahead, 1),))
        ahead = self.projection(self.dropout(decoded)).view(*past.shape[::2], -1, self.shape.n_outputs)
        return self.norm.restore(ahead[:, :, : self.shape.horizon].transpose(1, 2), statistics)


MODEL = SegRNN
