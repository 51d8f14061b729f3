"""PLE: layers of experts, some shared by all tasks and some of one task alone.

Tang, Liu, Zhao and Gong, "Progressive Layered Extraction (PLE): A Novel Multi-Task Learning (MTL) Model for Personalized
Recommendations", RecSys 2020.
"""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from models.base import WindowShape
from models.layers.arguments import at_least
from models.layers.linear import GroupedLinear
from models.layers.multitask import Experts, MultiTaskForecaster


class PLE(MultiTaskForecaster):
    """Progressive layered extraction (Tang et al., RecSys 2020, section 4), whose tasks are channels or blocks of the horizon.

    - Each layer j has experts of each task and shared ones, one hidden layer with ReLU each (``Extraction``). Task k gets
      g^kj = w^kj S^kj: S^kj are what its own and the shared experts say, w^kj = softmax(W^kj g^k(j-1)) weighs them. Its own
      experts read g^k(j-1) too; g^k0 is the whole window, laid flat.
    - Between two layers a shared gate weighs all experts alike, for the shared experts and the shared gate of the next. With
      one layer this is the paper's customized gate control (CGC).
    - The tower of task k makes its forecast: y^k = t^k(g^kN).

    Departures from the paper: tasks are parts of one forecast; learned weights of their losses, where the paper lets fixed ones
    decay, and a norm of the window around the network, both off by default.

    Args:
        shape: The sizes of a window.
        task: channel: each target is a task; horizon: each block of the horizon is. With very many channels take horizon: the
            first layer has weights for each pair of a task and an input.
        n_blocks: Of the horizon, at most one a step; of two lengths where it does not divide the horizon. For task=horizon.
        n_layers: Of experts.
        n_shared_experts: In each layer.
        n_task_experts: Of each task, in each layer.
        width: Of an expert.
        tower_width: Of the hidden layer of a tower.
        dropout: On experts and on the hidden layers of towers.
        weighting: uniform: all values count alike; uncertainty: each task's loss has a learned log variance while training
            (Kendall et al., CVPR 2018).
        norm: Level and spread of the observed past, which the network does not see: none, last (value), revin (see WindowNorm).

    Raises:
        ValueError: an argument is out of its range.
    """

    def __init__(
        self,
        shape: WindowShape,
        *,
        task: Literal["channel", "horizon"] = "channel",
        n_blocks: int = 4,
        n_layers: int = 2,
        n_shared_experts: int = 1,
        n_task_experts: int = 1,
        width: int = 256,
        tower_width: int = 64,
        dropout: float = 0.0,
        weighting: Literal["uniform", "uncertainty"] = "uniform",
        norm: Literal["none", "last", "revin"] = "none",
    ) -> None:
        at_least(1, n_layers=n_layers, n_shared_experts=n_shared_experts, n_task_experts=n_task_experts, width=width)
        super().__init__(
            shape,
            task=task,
            n_blocks=n_blocks,
            width=width,
            tower_width=tower_width,
            dropout=dropout,
            weighting=weighting,
            norm=norm,
        )
        self.layers = nn.ModuleList(
            Extraction(
                self.n_tasks,
                n_shared_experts,
                n_task_experts,
                width if layer else self.n_inputs,
                width,
                dropout,
                last=layer == n_layers - 1,
            )
            for layer in range(n_layers)
        )

    def extract(self, window: Float[Tensor, "B n"]) -> Float[Tensor, "B tasks D"]:
        """The vectors that come out of the last layer."""
        tasks = shared = window
        for layer in self.layers:
            tasks, shared = layer(tasks, shared)
        return tasks


class Extraction(nn.Module):
    """One layer of experts and gates.

    Args:
        n_tasks: T.
        n_shared_experts: Read the shared vector.
        n_task_experts: Of each task; read its vector.
        n_inputs: Numbers of a vector that comes in.
        width: D, of one that goes out.
        dropout: On experts.
        last: Nothing shared goes out.
    """

    def __init__(
        self,
        n_tasks: int,
        n_shared_experts: int,
        n_task_experts: int,
        n_inputs: int,
        width: int,
        dropout: float,
        *,
        last: bool,
    ) -> None:
        super().__init__()
        self.shared_experts = Experts(1, n_shared_experts, n_inputs, width, dropout)
        self.task_experts = Experts(n_tasks, n_task_experts, n_inputs, width, dropout)
        self.gates = GroupedLinear(n_tasks, n_inputs, n_task_experts + n_shared_experts, bias=False)
        n_experts = n_tasks * n_task_experts + n_shared_experts
        self.shared_gate = None if last else nn.Linear(n_inputs, n_experts, bias=False)

    def forward(
        self, tasks: Float[Tensor, "B *tasks n"], shared: Float[Tensor, "B n"]
    ) -> tuple[Float[Tensor, "B T D"], Float[Tensor, "B m"]]:
        """One vector a task, and the shared one, which after the last layer is the one that came in."""
        common = self.shared_experts(shared).squeeze(1)
        own = self.task_experts(tasks)
        weights: Tensor = self.gates(tasks).softmax(-1)
        n_own = own.shape[2]
        mixed = (weights[..., None, :n_own] @ own).squeeze(2) + weights[..., n_own:] @ common
        if self.shared_gate is None:
            return mixed, shared
        experts = torch.cat([own.flatten(1, 2), common], 1)
        return mixed, (self.shared_gate(shared).softmax(-1).unsqueeze(1) @ experts).squeeze(1)


MODEL = PLE
