"""Several tasks learned together: what a task is, a tower for each, and how their losses are weighed."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from datasets.windows.batch import Batch, Inputs
from models.base import Forecaster, Use, WindowShape
from models.heads.base import Head
from models.layers.arguments import at_least, one_of
from models.layers.dropout import Dropout
from models.layers.linear import GroupedLinear
from models.layers.normalisation import Norm, WindowNorm

TaskKind = Literal["channel", "horizon"]
Weighting = Literal["uniform", "uncertainty"]


class MultiTaskForecaster(Forecaster):
    """A model that turns the whole past into one vector a task, and this, by a tower a task, into the task's forecast.

    The input is flat: the past of all channels, then covariates, then known features of past and horizon. A tower is one hidden
    layer with ReLU and a linear one.

    With uncertainty weighting (Kendall, Gal and Cipolla, CVPR 2018, equation 7, times 2) the loss L of a task becomes
    exp(-s) L + s, with a learned log variance s = log sigma^2 that starts at 0, where nothing is reweighed. This holds while
    training; in evaluation the loss is the head's, so that losses can be compared between weightings.

    Args:
        shape: The sizes of a window.
        task: channel: each target is a task; horizon: each block of the horizon is.
        n_blocks: Of the horizon, at most one a step; of two lengths where it does not divide the horizon.
        width: Of a task's vector.
        tower_width: Of a tower's hidden layer.
        dropout: On that layer.
        weighting: uniform or uncertainty.
        norm: See WindowNorm.

    Raises:
        ValueError: an argument is out of its range.
    """

    uses: ClassVar[frozenset[Use]] = frozenset({"covariates", "known", "observed"})
    block_of: Tensor
    place_of: Tensor

    def __init__(
        self,
        shape: WindowShape,
        *,
        task: TaskKind,
        n_blocks: int,
        width: int,
        tower_width: int,
        dropout: float,
        weighting: Weighting,
        norm: Norm,
    ) -> None:
        super().__init__(shape)
        at_least(1, n_blocks=n_blocks, tower_width=tower_width)
        one_of(("channel", "horizon"), task=task)
        one_of(("uniform", "uncertainty"), weighting=weighting)
        self.by_channel = task == "channel"
        self.n_tasks = shape.n_targets if self.by_channel else min(n_blocks, shape.horizon)
        self.norm = WindowNorm(norm, shape.n_targets)
        # Towers are as long as the longest block, and what the shorter ones say beyond their end is left out.
        self.block = shape.horizon if self.by_channel else math.ceil(shape.horizon / self.n_tasks)
        n_outputs = self.block * shape.n_outputs * (1 if self.by_channel else shape.n_targets)
        self.towers = nn.Sequential(
            GroupedLinear(self.n_tasks, width, tower_width),
            nn.ReLU(),
            Dropout(dropout),
            GroupedLinear(self.n_tasks, tower_width, n_outputs),
        )
        self.log_variances = nn.Parameter(torch.zeros(self.n_tasks)) if weighting == "uncertainty" else None
        block_of = block_of_step(shape.horizon, self.n_tasks)
        first = torch.searchsorted(block_of, block_of)
        place_of = block_of * self.block + torch.arange(shape.horizon) - first
        self.register_buffer("block_of", block_of, persistent=False)
        self.register_buffer("place_of", place_of, persistent=False)

    @property
    def n_inputs(self) -> int:
        """Numbers of the flat input."""
        shape = self.shape
        n_steps = shape.lookback * (shape.n_targets + shape.n_past_covariates)
        return n_steps + (shape.lookback + shape.horizon) * shape.n_known

    @abstractmethod
    def extract(self, window: Float[Tensor, "B n"]) -> Float[Tensor, "B tasks D"]:
        """One vector a task from the flat input."""

    def forward(self, inputs: Inputs) -> Float[Tensor, "B H C O"]:
        """The outputs of all tasks."""
        past, statistics = self.norm(inputs.past_target, inputs.past_observed)
        parts = (past, inputs.past_covariates, inputs.past_known, inputs.future_known)
        outputs: Tensor = self.towers(self.extract(torch.cat([part.flatten(1) for part in parts], 1)))
        if self.by_channel:
            outputs = outputs.reshape(*outputs.shape[:2], self.block, -1).transpose(1, 2)
        else:
            outputs = outputs.reshape(len(outputs), self.n_tasks * self.block, self.shape.n_targets, -1)[:, self.place_of]
        return self.norm.restore(outputs, statistics)

    def training_loss(self, batch: Batch, head: Head) -> Float[Tensor, "B H C"]:
        """The head's loss; while training under uncertainty weighting each task's is weighed."""
        losses = head.loss(self(batch.inputs), batch)
        if self.log_variances is None or not self.training:
            return losses
        log_variance = self.log_variances if self.by_channel else self.log_variances[self.block_of].unsqueeze(-1)
        return (-log_variance).exp() * losses + log_variance


def block_of_step(n_steps: int, n_blocks: int) -> Int[Tensor, " n_steps"]:
    """The block of each step: blocks in order, whose lengths differ by at most one."""
    return torch.arange(n_steps) * n_blocks // n_steps


class Experts(nn.Module):
    """Groups of one-layer networks, ReLU(W x + b): (B, n_groups, n) or (B, n) to (B, n_groups, n_experts, width).

    Args:
        n_groups: Each with its input, or with the one of all.
        n_experts: Of each group.
        n_inputs: n.
        width: Of an expert's output.
        dropout: On it.
    """

    def __init__(self, n_groups: int, n_experts: int, n_inputs: int, width: int, dropout: float) -> None:
        super().__init__()
        self.n_experts = n_experts
        self.linear = GroupedLinear(n_groups, n_inputs, n_experts * width)
        self.dropout = Dropout(dropout)

    def forward(self, inputs: Float[Tensor, "B *groups n"]) -> Float[Tensor, "B G E D"]:
        """What each expert says."""
        outputs: Tensor = self.dropout(F.relu(self.linear(inputs)))
        return outputs.view(*outputs.shape[:2], self.n_experts, -1)
