"""Normalisation of a window by its own past."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from models.layers.arguments import one_of

Norm = Literal["none", "last", "revin"]


class WindowStatistics(NamedTuple):
    """What was taken out of a window, to be put back into its forecast."""

    loc: Float[Tensor, "B 1 C"]
    scale: Float[Tensor, "B 1 C"]


class WindowNorm(nn.Module):
    """Takes level and spread out of the past, and puts them back into the forecast.

    ``last`` subtracts the last observed value of the past (NLinear: Zeng et al., AAAI 2023). ``revin`` standardises by mean and
    standard deviation of the observed values, then applies a learned affine map for each channel (reversible instance
    normalisation: Kim et al., ICLR 2022). Statistics carry no gradient. What fills missing values does not move them, unless a
    window observed nothing of a channel: then all of its values count. The network sees the fill, normalised like the rest.
    Under both, shifting a window by a constant, the fill included, shifts its forecast by that constant.

    Departure from RevIN: the affine weight is the exponential of a parameter. It starts at 1 as in the paper, and cannot come
    to 0, where the way back explodes.

    Args:
        mode: none, last or revin.
        n_channels: C.
        affine: Whether revin learns its affine map; otherwise it has none.
    """

    log_weight: Tensor
    bias: Tensor

    def __init__(self, mode: Norm, n_channels: int, *, affine: bool = True) -> None:
        super().__init__()
        one_of(get_args(Norm), norm=mode)
        self.mode = mode
        if mode == "revin":
            for name in ("log_weight", "bias"):
                if affine:
                    self.register_parameter(name, nn.Parameter(torch.zeros(n_channels)))
                else:
                    self.register_buffer(name, torch.zeros(n_channels), persistent=False)

    def forward(
        self, past: Float[Tensor, "B L C"], observed: Bool[Tensor, "B L C"]
    ) -> tuple[Float[Tensor, "B L C"], WindowStatistics]:
        """The normalised past, and what ``restore`` needs.

        Args:
            past: Missing values filled.
            observed: Which values count for level and spread.
        """
        match self.mode:
            case "none":
                none = torch.zeros_like(past[:, :1])
                return past, WindowStatistics(none, torch.ones_like(none))
            case "last":
                # The first of equal maxima, from the end: the last step if nothing was observed.
                back = observed.flip(1).byte().argmax(1, keepdim=True)
                last = past.gather(1, past.shape[1] - 1 - back).detach()
                statistics = WindowStatistics(last, torch.ones_like(last))
            case "revin":
                level, share = with_means(past.detach(), observed)
                # With means in the holes a variance grows too small by the share of the observed.
                scale = (level.var(1, keepdim=True, unbiased=False) / share + 1e-5).sqrt()
                loc = level.mean(1, keepdim=True)
                statistics = WindowStatistics(loc, scale)
        return self.normalise(past, statistics), statistics

    def normalise(self, values: Float[Tensor, "B T C"], statistics: WindowStatistics) -> Float[Tensor, "B T C"]:
        """Other values of the same windows, normalised like the past: earlier ones, or those of the horizon."""
        match self.mode:
            case "none":
                return values
            case "last":
                return values - statistics.loc
            case "revin":
                return (values - statistics.loc) / statistics.scale * self.log_weight.exp() + self.bias

    def restore(self, outputs: Float[Tensor, "B H C O"], statistics: WindowStatistics) -> Float[Tensor, "B H C O"]:
        """Outputs as a head reads them: the location back at level and spread of its window, the log spread moved by the log of
        the scale that was taken out, the rest as it is."""
        loc, scale = (part.unsqueeze(-1) for part in statistics)
        location, log_spread, rest = outputs[..., :1], outputs[..., 1:2], outputs[..., 2:]
        match self.mode:
            case "none":
                return outputs
            case "last":
                return torch.cat([location + loc, outputs[..., 1:]], -1)
            case "revin":
                log_weight, bias = self.log_weight.unsqueeze(-1), self.bias.unsqueeze(-1)
                location = (location - bias) / log_weight.exp() * scale + loc
                return torch.cat([location, log_spread + scale.log() - log_weight, rest], -1)


def with_means(
    past: Float[Tensor, "B L C"], observed: Bool[Tensor, "B L C"]
) -> tuple[Float[Tensor, "B L C"], Float[Tensor, "B 1 C"]]:
    """The past, each hole filled with the mean of what was observed of its channel, bit-equal where there are no holes; and the
    share of the values that were observed. Where nothing was, all values count."""
    observed = observed | ~observed.any(1, keepdim=True)
    n_observed = observed.sum(1, keepdim=True)
    mean = torch.where(observed, past, 0.0).sum(1, keepdim=True) / n_observed
    return torch.where(observed, past, mean), n_observed / past.shape[1]


class TokenBatchNorm(nn.BatchNorm1d):
    """Standardises each feature over all tokens of a batch. One token alone has no spread: it is taken as in evaluation."""

    def forward(self, tokens: Float[Tensor, "B T D"]) -> Float[Tensor, "B T D"]:
        """Of the same shape."""
        rows = tokens.flatten(0, 1)
        if len(rows) > 1:
            return super().forward(rows).view_as(tokens)
        return F.batch_norm(rows, self.running_mean, self.running_var, self.weight, self.bias, eps=self.eps).view_as(tokens)
