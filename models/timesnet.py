"""TimesNet: a series folded at its strongest periods, so that a 2-D kernel sees what varies within and between periods.

Wu, Hu, Liu, Zhou, Wang and Long, "TimesNet: Temporal 2D-Variation Modeling for General Time Series Analysis", ICLR 2023.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from datasets.windows.batch import Inputs
from models.base import Forecaster, Use, WindowShape
from models.layers.arguments import at_least
from models.layers.dropout import Dropout
from models.layers.embedding import WindowEmbedding
from models.layers.normalisation import WindowNorm


class TimesNet(Forecaster):
    """TimesNet (Wu et al., ICLR 2023), for many channels at once.

    - Each step of the past becomes a vector; a linear map along time extends the L steps to T = L + H (section 4.1).
    - Each layer adds a TimesBlock to its input (equation 4), then a layer norm. The k frequencies f with the largest amplitude,
      in the mean over the width, give periods T // f (equation 1). At each period the steps are folded into a grid, one period
      a row (equation 2), which goes through two inception blocks with GELU between and is unfolded again (equation 5). The
      softmax of the k amplitudes weighs the k results (equation 6).
    - A linear map turns the last H steps into the forecast.

    Departures from the authors' code: every window has its own periods, as equation 1 has it, where the code takes those of
    the batch's mean, under which a forecast depends on the windows beside it; between the two inception blocks what pads the
    last row is set to zero again; the calendar is added after the extension, so that the horizon's is read too; a layer norm
    for each layer, not one for all; the norm of the window is revin, with a learned affine map that starts at the identity.

    Args:
        shape: The sizes of a window. K may be 0.
        width: Of each step's vector; the paper's ETT runs have 16.
        feedforward: Channels between the two inception blocks.
        n_layers: TimesBlocks.
        n_periods: k; of T steps at most T // 2.
        n_kernels: Of an inception block: sizes 1, 3, ..., 2 * n_kernels - 1.
        dropout: On the embeddings.
        norm: Level and spread of the observed past, which the network does not see: none, last (value), revin (see WindowNorm).

    Raises:
        ValueError: an argument is out of its range.
    """

    uses: ClassVar[frozenset[Use]] = frozenset({"covariates", "known", "observed"})

    def __init__(
        self,
        shape: WindowShape,
        *,
        width: int = 16,
        feedforward: int = 32,
        n_layers: int = 2,
        n_periods: int = 5,
        n_kernels: int = 6,
        dropout: float = 0.1,
        norm: Literal["none", "last", "revin"] = "revin",
    ) -> None:
        super().__init__(shape)
        at_least(1, width=width, feedforward=feedforward, n_layers=n_layers, n_periods=n_periods, n_kernels=n_kernels)
        self.norm = WindowNorm(norm, shape.n_targets)
        self.embedding = WindowEmbedding(shape.n_targets + shape.n_past_covariates, 0, shape.lookback, width, 0.0)
        self.extension = nn.Linear(shape.lookback, shape.lookback + shape.horizon)
        self.known = nn.Linear(shape.n_known, width) if shape.n_known else None
        self.dropout = Dropout(dropout)
        self.layers = nn.Sequential()
        for _ in range(n_layers):
            self.layers.append(TimesBlock(width, feedforward, n_periods, n_kernels))
            self.layers.append(nn.LayerNorm(width))
        self.projection = nn.Linear(width, shape.n_targets * shape.n_outputs)

    def forward(self, inputs: Inputs) -> Float[Tensor, "B H C O"]:
        """The outputs for all steps of the horizon in one pass."""
        past, statistics = self.norm(inputs.past_target, inputs.past_observed)
        steps = self.extension(self.embedding(torch.cat([past, inputs.past_covariates], -1), inputs.past_known[..., :0]).mT).mT
        if self.known is not None:
            steps = steps + self.known(torch.cat([inputs.past_known, inputs.future_known], 1))
        horizon = self.layers(self.dropout(steps))[:, self.shape.lookback :]
        outputs: Tensor = self.projection(horizon).unflatten(-1, (self.shape.n_targets, self.shape.n_outputs))
        return self.norm.restore(outputs, statistics)


class TimesBlock(nn.Module):
    """Two inception blocks over the steps, folded at each of their k periods; the weighted sum is added to the steps."""

    def __init__(self, width: int, hidden: int, n_periods: int, n_kernels: int) -> None:
        super().__init__()
        self.n_periods = n_periods
        self.inner, self.outer = Inception(width, hidden, n_kernels), Inception(hidden, width, n_kernels)

    def forward(self, steps: Float[Tensor, "B T D"]) -> Float[Tensor, "B T D"]:
        """Of the same shape."""
        periods, amplitudes = strongest_periods(steps, self.n_periods)
        n_windows, k = periods.shape
        copies = steps.unsqueeze(1).expand(-1, k, -1, -1).flatten(0, 1)
        folds = self.outer(F.gelu(self.inner(copies, periods.flatten())), periods.flatten())
        weights = amplitudes.softmax(-1).unsqueeze(-1)
        outputs: Tensor = steps + (folds.view(n_windows, k, -1) * weights).sum(1).view_as(steps)
        return outputs


def strongest_periods(steps: Float[Tensor, "B T D"], k: int) -> tuple[Int[Tensor, "B k"], Float[Tensor, "B k"]]:
    """T // f of the k frequencies f in [1, T / 2] with the largest amplitude, and the amplitudes (equation 1)."""
    length = steps.shape[1]
    amplitudes = torch.fft.rfft(steps.float(), dim=1)[:, 1:].abs().mean(-1)
    strongest, indices = amplitudes.topk(min(k, length // 2))
    return length // (indices + 1), strongest


class Inception(nn.Module):
    """The mean of convolutions of sizes 1, 3, ..., 2n - 1 over the grid into which a period folds a series.

    Convolutions add up, so that the mean is one convolution, whose kernel is the mean of all, padded to the largest. No grid
    is built: the neighbour i rows below and j columns to the right is i * period + j steps ahead. So the period may differ
    between series and no shape depends on it. Rows are gathered, one product takes all taps, and columns are added up.

    Args:
        n_inputs: Channels.
        n_outputs: Channels.
        n_kernels: n.
    """

    def __init__(self, n_inputs: int, n_outputs: int, n_kernels: int) -> None:
        super().__init__()
        self.reach = n_kernels - 1
        self.kernels = nn.ParameterList(
            torch.randn(size, n_inputs, size, n_outputs) * (2 / (n_outputs * size**2)) ** 0.5  # He et al., by fan out
            for size in range(1, 2 * n_kernels, 2)
        )
        self.bias = nn.Parameter(torch.zeros(n_outputs))

    def kernel(self) -> Float[Tensor, "rows n columns m"]:
        """The one kernel, n input and m output channels."""
        margins = range(self.reach, -1, -1)
        padded = [F.pad(kernel, (0, 0, m, m, 0, 0, m, m)) for kernel, m in zip(self.kernels, margins, strict=True)]
        return torch.stack(padded).mean(0)

    def forward(self, steps: Float[Tensor, "N T n"], periods: Int[Tensor, " N"]) -> Float[Tensor, "N T m"]:
        """Each of N series filtered over the grid of its own period."""
        length, reach = steps.shape[1], range(-self.reach, self.reach + 1)
        offsets = torch.arange(-self.reach, self.reach + 1, device=steps.device)
        products = self.rows(steps, periods, offsets) @ self.kernel().flatten(2).flatten(0, 1)
        columns = products.view(*products.shape[:2], len(reach), -1).unbind(2)
        neighbours = (torch.arange(length, device=steps.device) % periods.unsqueeze(-1)).unsqueeze(-1) + offsets
        within = ((neighbours >= 0) & (neighbours < periods[:, None, None])).unsqueeze(-2)
        outputs: Tensor = self.bias
        for j, column, inside in zip(reach, columns, within.to(products.dtype).unbind(-1), strict=True):
            outputs = outputs + inside * column.roll(-j, 1)[:, :length]  # what wraps around is not within its row
        return outputs

    def rows(
        self, steps: Float[Tensor, "N T n"], periods: Int[Tensor, " N"], offsets: Int[Tensor, " rows"]
    ) -> Float[Tensor, "N S rows_n"]:
        """The steps that lie so many rows off each place, side by side; S goes beyond T as far as the kernel reaches."""
        n_series, length, _ = steps.shape
        places = torch.arange(length + self.reach, device=steps.device).unsqueeze(-1)
        sources = places + periods[:, None, None] * offsets
        flat = sources + length * torch.arange(n_series, device=steps.device)[:, None, None]
        nothing = n_series * length
        inside = (sources >= 0) & (sources < length)
        table = F.pad(steps.flatten(0, 1), (0, 0, 0, 1))
        # Not table[...]: the gradient of an embedding is several times faster on a CPU, and deterministic on a GPU.
        return F.embedding(flat.where(inside, nothing), table, padding_idx=nothing).flatten(2)


MODEL = TimesNet
