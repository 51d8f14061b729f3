"""xLSTMTime: extended LSTMs over the channels of a decomposed past, or over its steps.

Alharthi and Mahmood, "xLSTMTime: Long-Term Time Series Forecasting with xLSTM", AI, 2024. Beck, Poeppel, Spanring, Auer,
Prudnikova, Kopp, Klambauer, Brandstetter and Hochreiter, "xLSTM: Extended Long Short-Term Memory", NeurIPS 2024.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from datasets.windows.batch import Inputs
from models.base import Forecaster, Use, WindowShape
from models.layers.arguments import at_least, one_of
from models.layers.decomposition import moving_average
from models.layers.linear import ChannelLinear
from models.layers.normalisation import TokenBatchNorm, WindowNorm
from models.layers.xlstm import XLSTMStack


class XLSTMTime(Forecaster):
    """xLSTMTime (Alharthi and Mahmood, arXiv:2407.10240, 2024), whose blocks are those of Beck et al., NeurIPS 2024.

    The past is a trend, its moving average, and a rest.

    - along channels, as in the authors' code: one linear map each makes forecasts of trend and rest, as in DLinear; the sum of
      the two for a channel is mapped to a vector. The blocks read channels as steps, one after the other in the order of the
      columns, and a linear map makes the forecast of a channel of what comes out at its place. Of a single channel they have
      nothing to remember.
    - along steps, as in pytorch-forecasting, and each channel by itself: trend and rest of a step are mapped to a vector, which
      is batch-normed; the blocks read the steps, and a linear map makes the forecast of what comes out at the last one.

    Departures: no batch norm along channels, which is in the paper's figure and commented out in the authors' code; the norm of
    the window goes around the network in both, where the paper ends with an instance norm, and its revin has a learned affine
    map for each channel, which the authors' lacks; smaller ones within the blocks are told there (``XLSTMStack``). The cells of
    pytorch-forecasting are others: its mLSTM has no exponentials, and a vector for a memory.

    Args:
        shape: The sizes of a window. Calendar features and covariates are not used.
        cell: slstm or mlstm.
        along: channels or steps.
        kernel: Steps of the moving average.
        n_heads: Of each cell; they do not see each other.
        head_width: Of each, 2 or more. The width of the blocks is n_heads * head_width: the authors' 256 is 4 * 64.
        n_blocks: Of the stack.
        dropout: On what each block adds.
        norm: Level and spread of the observed past, which the network does not see: none, last (value), revin (see WindowNorm).

    Raises:
        ValueError: an argument is out of its range.
    """

    uses: ClassVar[frozenset[Use]] = frozenset({"observed"})

    def __init__(
        self,
        shape: WindowShape,
        *,
        cell: Literal["slstm", "mlstm"] = "slstm",
        along: Literal["channels", "steps"] = "channels",
        kernel: int = 25,
        n_heads: int = 4,
        head_width: int = 64,
        n_blocks: int = 3,
        dropout: float = 0.0,
        norm: Literal["none", "last", "revin"] = "revin",
    ) -> None:
        super().__init__(shape)
        one_of(("slstm", "mlstm"), cell=cell)
        one_of(("channels", "steps"), along=along)
        at_least(1, kernel=kernel, n_heads=n_heads, n_blocks=n_blocks)
        at_least(2, head_width=head_width)  # a head is normed over its numbers
        width = n_heads * head_width
        self.kernel, self.along = kernel, along
        self.norm = WindowNorm(norm, shape.n_targets)
        if along == "channels":
            self.trend, self.rest = (ChannelLinear(1, shape.lookback, shape.horizon, 1) for _ in range(2))
            self.embedding = nn.Linear(shape.horizon, width)
        else:
            self.embedding, self.batch_norm = nn.Linear(2, width), TokenBatchNorm(width)
        self.blocks = XLSTMStack(cell, n_heads, head_width, n_blocks, dropout)
        self.projection = nn.Linear(width, shape.horizon * shape.n_outputs)

    def forward(self, inputs: Inputs) -> Float[Tensor, "B H C O"]:
        """The outputs for all steps of the horizon in one pass."""
        past, statistics = self.norm(inputs.past_target, inputs.past_observed)
        trend = moving_average(past.mT, self.kernel).mT
        if self.along == "channels":
            first = (self.trend(trend) + self.rest(past - trend)).squeeze(-1)
            hidden = self.blocks(self.embedding(first.mT))
        else:
            steps = torch.stack([trend, past - trend], -1).transpose(1, 2).flatten(0, 1)
            hidden = self.blocks(self.batch_norm(self.embedding(steps)))[:, -1].unflatten(0, past.shape[::2])
        outputs: Tensor = self.projection(hidden).unflatten(-1, (self.shape.horizon, self.shape.n_outputs))
        return self.norm.restore(outputs.transpose(1, 2), statistics)


MODEL = XLSTMTime
