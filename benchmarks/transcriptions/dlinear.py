"""DLinear (Zeng et al., AAAI 2023)."""

from __future__ import annotations

from torch import Tensor, nn

from benchmarks.transcriptions.autoformer import decompose
from datasets.windows.batch import Inputs
from models.base import WindowShape


class DLinear(nn.Module):
    """A moving average and what it leaves, each through one linear map along time (section 4)."""

    def __init__(self, shape: WindowShape, *, kernel: int) -> None:
        super().__init__()
        self.kernel = kernel
        self.trend, self.rest = (nn.Linear(shape.lookback, shape.horizon) for _ in range(2))

    def forward(self, inputs: Inputs) -> Tensor:
        """(B, H, C)."""
        rest, trend = decompose(inputs.past_target, self.kernel)
        return (self.trend(trend.transpose(1, 2)) + self.rest(rest.transpose(1, 2))).transpose(1, 2)


MODEL = DLinear
