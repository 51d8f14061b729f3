"""Quantiles at several levels, which cannot cross."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from datasets.windows.batch import Batch, Inputs
from models.base import Forecast
from models.heads.base import Head, unpack
from models.heads.draws import Draws


class QuantileHead(Head):
    """One quantile for each level: the location is the middle one, and from there the gaps between neighbours add up.

    A gap is spread * softplus(output), above 0, so quantiles rise with their levels. The loss is the mean over levels of the
    pinball loss (Koenker and Bassett, Econometrica 1978): max(level * e, (level - 1) * e) with e = target - quantile. One level
    alone needs no gap and no spread, and is a point forecast.

    Paths invert the quantile function, which between two levels is a line. Below the lowest and above the highest level the
    outermost lines go on, so the tails end where these reach levels 0 and 1: they are shorter than most data's.

    Args:
        levels: Rising, in (0, 1). The middle one is the one closest to 0.5.
    """

    levels: Tensor

    def __init__(self, levels: tuple[float, ...]) -> None:
        super().__init__()
        self.register_buffer("levels", torch.tensor(levels), persistent=False)
        self.middle = min(range(len(levels)), key=lambda i: abs(levels[i] - 0.5))
        self.n_outputs = 1 + len(levels) if len(levels) > 1 else 1

    def quantiles(self, outputs: Float[Tensor, "B H C O"]) -> Float[Tensor, "B H C levels"]:
        """The value at each level, in the units of ``Inputs.past_target``."""
        if self.n_outputs == 1:
            return outputs.float()
        location, log_spread, gaps = unpack(outputs)
        steps = F.pad(F.softplus(gaps).cumsum(-1), (1, 0))
        steps = steps - steps[..., self.middle, None]
        return location.unsqueeze(-1) + log_spread.exp().unsqueeze(-1) * steps

    def loss(self, outputs: Float[Tensor, "B H C O"], batch: Batch) -> Float[Tensor, "B H C"]:
        """The mean of the pinball losses, in scaled units."""
        return pinball(self.quantiles(outputs), batch.future_target.unsqueeze(-1), self.levels).mean(-1)

    def forecast(self, outputs: Float[Tensor, "B H C O"], inputs: Inputs, n_paths: int, draws: Draws) -> Forecast:
        """Paths whose values are independent of each other; one path from one level."""
        quantiles = self.quantiles(outputs)
        if self.n_outputs == 1:
            return Forecast(paths=quantiles.squeeze(-1).unsqueeze(1))
        slopes = quantiles.diff(dim=-1) / self.levels.diff()
        drawn = draws.levels(n_paths, *quantiles.shape[1:3])
        line = torch.bucketize(drawn, self.levels[1:-1])

        def of_line(numbers: Tensor) -> Tensor:
            return numbers.unsqueeze(1).expand(-1, n_paths, -1, -1, -1).gather(-1, line.unsqueeze(-1)).squeeze(-1)

        return Forecast(paths=of_line(quantiles) + of_line(slopes) * (drawn - self.levels[line]))


def pinball(
    quantiles: Float[Tensor, "*#shape"], target: Float[Tensor, "*#shape"], levels: Float[Tensor, "*#shape"]
) -> Float[Tensor, "*shape"]:
    """The loss that the quantile at a level minimises."""
    error = target - quantiles
    return torch.maximum(levels * error, (levels - 1) * error)
