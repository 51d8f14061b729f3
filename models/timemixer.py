"""TimeMixer: seasons and trends of a series at several sampling rates, mixed in opposite directions.

Wang, Wu, Shi, Hu, Luo, Ma, Zhang and Zhou, "TimeMixer: Decomposable Multiscale Mixing for Time Series Forecasting", ICLR 2024.
"""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from datasets.windows.batch import Inputs
from models.base import Forecaster, Use, WindowShape
from models.layers.arguments import at_least
from models.layers.decomposition import Decomposition
from models.layers.dropout import Dropout
from models.layers.normalisation import WindowNorm
from models.layers.transformer import FeedForward


class TimeMixer(Forecaster):
    """TimeMixer (Wang et al., ICLR 2024), each channel by itself.

    - Scales: the past, and its means over 2, 4, ... steps (section 3.1); each value becomes a vector.
    - Past-decomposable mixing: each scale is split into trend and season by a moving average (equation 3). Seasons are mixed
      from fine to coarse, s_m + B(s_{m-1}) (equation 4); trends from coarse to fine, t_m + T(t_{m+1}) (equation 5). What they
      sum to goes through a feed-forward layer and is added to the block's input (equation 2).
    - Future-multipredictor mixing: each scale forecasts by one linear map along time; forecasts are added up (equation 6).

    Departures: level and spread are taken from the window once, before it is pooled, where the authors' code takes them at each
    scale; where a scale has an odd number of steps, its first one is not pooled, where the authors' code leaves out the last;
    a value becomes a vector by a map of its own, where that code looks at its neighbours too; the feed-forward layer has a
    dropout inside; calendar features are not used.

    Args:
        shape: The sizes of a window. Calendar features and covariates are not used.
        n_scales: Pooled scales besides the past itself; fewer where they would be empty.
        n_layers: Blocks of past-decomposable mixing.
        width: D, of the vector of a value.
        feedforward: Width inside the feed-forward layer.
        kernel: Steps of the moving average, at all scales.
        dropout: On embeddings and inside feed-forward layers.
        norm: Level and spread of the observed past, which the network does not see: none, last (value), revin (see WindowNorm).

    Raises:
        ValueError: an argument is out of its range.
    """

    uses: ClassVar[frozenset[Use]] = frozenset({"observed"})

    def __init__(
        self,
        shape: WindowShape,
        *,
        n_scales: int = 3,
        n_layers: int = 2,
        width: int = 16,
        feedforward: int = 32,
        kernel: int = 25,
        dropout: float = 0.1,
        norm: Literal["none", "last", "revin"] = "revin",
    ) -> None:
        super().__init__(shape)
        at_least(0, n_scales=n_scales)
        at_least(1, n_layers=n_layers, width=width, feedforward=feedforward, kernel=kernel)
        lengths = [shape.lookback >> scale for scale in range(n_scales + 1) if shape.lookback >> scale]
        self.norm = WindowNorm(norm, shape.n_targets)
        self.embedding = nn.Linear(1, width)
        self.blocks = nn.Sequential(*(MixingBlock(lengths, width, feedforward, kernel, dropout) for _ in range(n_layers)))
        self.predictors = nn.ModuleList(nn.Linear(length, shape.horizon) for length in lengths)
        self.projection = nn.Linear(width, shape.n_outputs)
        self.dropout = Dropout(dropout)

    def forward(self, inputs: Inputs) -> Float[Tensor, "B H C O"]:
        """The outputs of each channel from its own past."""
        past, statistics = self.norm(inputs.past_target, inputs.past_observed)
        scales = [past.mT.flatten(0, 1)]
        for _ in self.predictors[1:]:
            finest = scales[-1]
            scales.append(finest[..., finest.shape[-1] % 2 :].unflatten(-1, (-1, 2)).mean(-1))
        mixed = self.blocks([self.dropout(self.embedding(scale.unsqueeze(-1))) for scale in scales])
        ahead = [predictor(scale.mT) for predictor, scale in zip(self.predictors, mixed, strict=True)]
        outputs: Tensor = self.projection(torch.stack(ahead).sum(0).mT)
        return self.norm.restore(outputs.view(*past.shape[::2], *outputs.shape[1:]).transpose(1, 2), statistics)


class MixingBlock(nn.Module):
    """Past-decomposable mixing of scales (R, L_m, D), the finest first; a row R is a channel of a window."""

    def __init__(self, lengths: list[int], width: int, feedforward: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.decompositions = nn.ModuleList(Decomposition(length, (kernel,)) for length in lengths)
        steps = list(pairwise(lengths))
        self.coarser = nn.ModuleList(along_time(fine, coarse) for fine, coarse in steps)
        self.finer = nn.ModuleList(along_time(coarse, fine) for fine, coarse in reversed(steps))
        self.feed = FeedForward(width, feedforward, "gelu", dropout)

    def forward(self, scales: list[Float[Tensor, "R _ D"]]) -> list[Float[Tensor, "R _ D"]]:
        """The same scales, each with what it has learnt from the others."""
        parts = [decompose(scale) for decompose, scale in zip(self.decompositions, scales, strict=True)]
        seasons, trends = map(list, zip(*parts, strict=True))
        for i, mix in enumerate(self.coarser):
            seasons[i + 1] = seasons[i + 1] + mix(seasons[i].mT).mT
        for i, mix in zip(range(len(scales) - 2, -1, -1), self.finer, strict=True):
            trends[i] = trends[i] + mix(trends[i + 1].mT).mT
        return [scale + self.feed(season + trend) for scale, season, trend in zip(scales, seasons, trends, strict=True)]


def along_time(n_before: int, n_after: int) -> nn.Module:
    """Two maps along the last dimension with an activation between."""
    return nn.Sequential(nn.Linear(n_before, n_after), nn.GELU(), nn.Linear(n_after, n_after))


MODEL = TimeMixer
