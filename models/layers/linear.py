"""Linear maps along time, and one for each group of numbers."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


class ChannelLinear(nn.Module):
    """A linear map from the past to the horizon, shared by the channels (n_maps = 1) or one for each (n_maps = C).

    Weights of the first output start at 1 / L, so that the first forecast is close to the mean of the past: in the first
    code of Zeng et al. (AAAI 2023), and in its copies; theirs of today begins at random, and keeps this as a comment. Those of
    further outputs, such as a spread, start at 0.

    Args:
        n_maps: 1 or C.
        lookback: L.
        horizon: H.
        n_outputs: O.
    """

    def __init__(self, n_maps: int, lookback: int, horizon: int, n_outputs: int) -> None:
        super().__init__()
        self.horizon = horizon
        weight = torch.zeros(n_maps, horizon, n_outputs, lookback)
        weight[:, :, 0] = 1 / lookback
        self.weight = nn.Parameter(weight.flatten(1, 2))
        self.bias = nn.Parameter(torch.empty(n_maps, horizon * n_outputs).uniform_(-1, 1) / lookback**0.5)

    def forward(self, past: Float[Tensor, "B L C"]) -> Float[Tensor, "B H C O"]:
        """Each channel through its map."""
        channels = past.mT
        if len(self.weight) == 1:
            outputs = F.linear(channels, self.weight[0], self.bias[0])
        else:
            outputs = torch.einsum("bcn,cmn->bcm", channels, self.weight) + self.bias
        return outputs.view(*channels.shape[:2], self.horizon, -1).transpose(1, 2)


class GroupedLinear(nn.Module):
    """A linear map for each group: (B, n_groups, n_inputs), or (B, n_inputs) for all groups alike, to (B, n_groups, n_outputs).

    Weights start as those of the library's linear map.
    """

    def __init__(self, n_groups: int, n_inputs: int, n_outputs: int, *, bias: bool = True) -> None:
        super().__init__()
        bound = n_inputs**-0.5
        self.weight = nn.Parameter(torch.empty(n_groups, n_outputs, n_inputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(n_groups, n_outputs).uniform_(-bound, bound)) if bias else None

    def forward(self, inputs: Float[Tensor, "B *groups n"]) -> Float[Tensor, "B G m"]:
        """Each group through its map."""
        if inputs.ndim == 2:
            outputs = F.linear(inputs, self.weight.flatten(0, 1)).view(len(inputs), *self.weight.shape[:2])
        else:
            outputs = torch.einsum("bgn,gmn->bgm", inputs, self.weight)
        return outputs if self.bias is None else outputs + self.bias
