"""TimesNet (Wu et al., ICLR 2023)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.transcriptions.parts import Embedding, standardise
from datasets.windows.batch import Inputs
from models.base import WindowShape


class TimesNet(nn.Module):
    """Steps of past and horizon through TimesBlocks, each layer-normed (section 3)."""

    def __init__(
        self,
        shape: WindowShape,
        *,
        width: int,
        feedforward: int,
        n_layers: int,
        n_periods: int,
        n_kernels: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.horizon = shape.horizon
        self.embedding = Embedding(shape.n_targets, 0, shape.lookback, width, 0.0)
        self.extension = nn.Linear(shape.lookback, shape.lookback + shape.horizon)
        self.known = nn.Linear(shape.n_known, width)
        self.dropout = nn.Dropout(dropout)
        self.layers = nn.Sequential()
        for _ in range(n_layers):
            self.layers.append(TimesBlock(width, feedforward, n_periods, n_kernels))
            self.layers.append(nn.LayerNorm(width))
        self.projection = nn.Linear(width, shape.n_targets)

    def forward(self, inputs: Inputs) -> Tensor:
        """(B, H, C)."""
        past, mean, deviation = standardise(inputs.past_target)
        steps = self.extension(self.embedding(past, inputs.past_known).transpose(1, 2)).transpose(1, 2)
        steps = self.dropout(steps + self.known(torch.cat([inputs.past_known, inputs.future_known], 1)))
        return self.projection(self.layers(steps)[:, -self.horizon :]) * deviation + mean


class TimesBlock(nn.Module):
    """Folded at each of the k strongest periods of a batch, filtered, unfolded, weighed (equations 1 to 6)."""

    def __init__(self, width: int, hidden: int, n_periods: int, n_kernels: int) -> None:
        super().__init__()
        self.n_periods = n_periods
        self.inner, self.outer = Inception(width, hidden, n_kernels), Inception(hidden, width, n_kernels)

    def forward(self, steps: Tensor) -> Tensor:
        n_windows, length, width = steps.shape
        amplitudes = torch.fft.rfft(steps, dim=1).abs().mean(-1)
        frequencies = amplitudes.mean(0)[1:].topk(self.n_periods).indices + 1
        folds = []
        for frequency in frequencies.tolist():
            period = length // frequency
            n_rows = -(-length // period)
            padded = F.pad(steps, (0, 0, 0, n_rows * period - length))
            grid = padded.view(n_windows, n_rows, period, width).permute(0, 3, 1, 2).contiguous()
            filtered = self.outer(F.gelu(self.inner(grid)))
            folds.append(filtered.permute(0, 2, 3, 1).reshape(n_windows, -1, width)[:, :length])
        weights = amplitudes[:, frequencies].softmax(-1)
        return steps + (torch.stack(folds, -1) * weights[:, None, None]).sum(-1)


class Inception(nn.Module):
    """The mean of convolutions of sizes 1, 3, ..., 2n - 1."""

    def __init__(self, n_inputs: int, n_outputs: int, n_kernels: int) -> None:
        super().__init__()
        self.kernels = nn.ModuleList(nn.Conv2d(n_inputs, n_outputs, 2 * i + 1, padding=i) for i in range(n_kernels))
        for kernel in self.kernels:
            nn.init.kaiming_normal_(kernel.weight, mode="fan_out")

    def forward(self, grid: Tensor) -> Tensor:
        return torch.stack([kernel(grid) for kernel in self.kernels]).mean(0)


MODEL = TimesNet
