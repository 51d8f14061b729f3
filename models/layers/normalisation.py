"""Normalisation of a window by its own past."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import torch
from jaxtyping import Float
from torch import Tensor, nn

Norm = Literal["none", "last", "revin"]


class WindowStatistics(NamedTuple):
    """What was taken out of a window, to be put back into its forecast."""

    loc: Float[Tensor, "B 1 C"]
    scale: Float[Tensor, "B 1 C"]


class WindowNorm(nn.Module):
    """Takes level and spread out of the past, and puts them back into the forecast.

    ``last`` subtracts the last value of the past (NLinear: Zeng et al., AAAI 2023). ``revin`` standardises by mean and standard
    deviation of the past, then applies a learned affine map for each channel (reversible instance normalisation: Kim et al.,
    ICLR 2022). Statistics come from the past alone and carry no gradient. Under both, shifting a window by a constant shifts
    its forecast by that constant.

    Departure from RevIN: the affine weight is the exponential of a parameter. It starts at 1 as in the paper, and cannot come
    to 0, where the way back explodes.

    Args:
        mode: none, last or revin.
        n_channels: C.
    """

    def __init__(self, mode: Norm, n_channels: int) -> None:
        super().__init__()
        if mode not in get_args(Norm):
            raise ValueError(f"model.norm must be one of {', '.join(get_args(Norm))}, got {mode!r}")
        self.mode = mode
        if mode == "revin":
            self.log_weight = nn.Parameter(torch.zeros(n_channels))
            self.bias = nn.Parameter(torch.zeros(n_channels))

    def forward(self, past: Float[Tensor, "B L C"]) -> tuple[Float[Tensor, "B L C"], WindowStatistics]:
        """The normalised past, and what ``restore`` needs."""
        last = past[:, -1:].detach()
        match self.mode:
            case "none":
                return past, WindowStatistics(torch.zeros_like(last), torch.ones_like(last))
            case "last":
                return past - last, WindowStatistics(last, torch.ones_like(last))
            case "revin":
                loc = past.mean(1, keepdim=True).detach()
                scale = (past.var(1, keepdim=True, unbiased=False) + 1e-5).sqrt().detach()
                return (past - loc) / scale * self.log_weight.exp() + self.bias, WindowStatistics(loc, scale)

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
