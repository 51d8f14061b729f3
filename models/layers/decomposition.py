"""A series as a trend and what it leaves."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


def moving_average(series: Float[Tensor, "*rest L"], kernel: int) -> Float[Tensor, "*rest L"]:
    """The mean of ``kernel`` steps around each step of the last dimension; its ends are repeated beyond them.

    The trend of Autoformer (Wu et al., NeurIPS 2021, equation 1) and DLinear (Zeng et al., AAAI 2023).
    """
    before, after = (kernel - 1) // 2, kernel // 2
    flat = series.flatten(0, -2)
    ends = (flat[:, :1].expand(-1, before), flat, flat[:, -1:].expand(-1, after))
    averages = F.avg_pool1d(torch.cat(ends, -1).unsqueeze(1), kernel, stride=1)
    return averages.view_as(series)


class Decomposition(nn.Module):
    """A moving average along time, and what it leaves: (B, T, D) to twice (B, T, D).

    Of several kernels each has its average, and each value mixes them by softmax(slope * value + offset): the mixture of
    experts of FEDformer (Zhou et al., ICML 2022, section 3.4). An average is one product with a matrix of T x T, which on a CPU
    is several times faster than pooling at the lengths of forecasting, and keeps channels last.

    Args:
        length: T.
        kernels: Steps of each average.
    """

    averages: Tensor

    def __init__(self, length: int, kernels: tuple[int, ...]) -> None:
        super().__init__()
        matrices = [moving_average(torch.eye(length), kernel).mT for kernel in kernels]
        self.register_buffer("averages", torch.cat(matrices), persistent=False)
        if len(kernels) > 1:
            self.slope, self.offset = (nn.Parameter(torch.empty(len(kernels)).uniform_(-1, 1)) for _ in range(2))

    def forward(self, steps: Float[Tensor, "B T D"]) -> tuple[Float[Tensor, "B T D"], Float[Tensor, "B T D"]]:
        """The seasonal part and the trend, in float32."""
        steps = steps.float()
        with torch.autocast(steps.device.type, enabled=False):
            trend = self.averages @ steps
        if len(self.averages) > steps.shape[1]:
            shares = (steps.unsqueeze(1) * self.slope.view(-1, 1, 1) + self.offset.view(-1, 1, 1)).softmax(1)
            trend = (trend.view_as(shares) * shares).sum(1)
        return steps - trend, trend
