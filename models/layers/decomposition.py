"""A series as a trend and what it leaves."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


def moving_average(series: Float[Tensor, "*rest L"], kernel: int) -> Float[Tensor, "*rest L"]:
    """The mean of ``kernel`` steps around each step of the last dimension; its ends are repeated beyond them.

    The trend of Autoformer (Wu et al., NeurIPS 2021, equation 1) and DLinear (Zeng et al., AAAI 2023).
    """
    before, after = (kernel - 1) // 2, kernel // 2
    flat = series.flatten(0, -2)
    ends = (flat[:, :1].expand(-1, before), flat, flat[:, -1:].expand(-1, after))
    averages = F.avg_pool1d(torch.cat(ends, -1).unsqueeze(1), kernel, stride=1)
    return averages.view_as(series)
