"""MMoE: experts that all tasks share, mixed by a gate for each task.

Ma, Zhao, Yi, Chen, Hong and Chi, "Modeling Task Relationships in Multi-task Learning with Multi-gate Mixture-of-Experts", KDD
2018.
"""

from __future__ import annotations

from typing import Literal

from jaxtyping import Float
from torch import Tensor

from models.base import WindowShape
from models.layers.arguments import at_least
from models.layers.linear import GroupedLinear
from models.layers.multitask import Experts, MultiTaskForecaster


class MMoE(MultiTaskForecaster):
    """Multi-gate mixture-of-experts (Ma et al., KDD 2018, section 4), whose tasks are channels or blocks of the horizon.

    - Experts f_i are one hidden layer with ReLU each, over the whole window, laid flat.
    - The gate of task k weighs them: f^k(x) = sum_i g^k(x)_i f_i(x), g^k(x) = softmax(W_gk x) (equations 7 and 8).
    - The tower of task k makes its forecast: y_k = h^k(f^k(x)) (equation 6).

    Departures from the paper: tasks are parts of one forecast; learned weights of their losses, and a norm of the window around
    the network, both off by default.

    Args:
        shape: The sizes of a window.
        task: channel: each target is a task; horizon: each block of the horizon is.
        n_blocks: Of the horizon, at most one a step; of two lengths where it does not divide the horizon. For task=horizon.
        n_experts: Shared by all tasks.
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
        n_experts: int = 8,
        width: int = 16,
        tower_width: int = 8,
        dropout: float = 0.0,
        weighting: Literal["uniform", "uncertainty"] = "uniform",
        norm: Literal["none", "last", "revin"] = "none",
    ) -> None:
        at_least(1, n_experts=n_experts, width=width)
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
        self.experts = Experts(1, n_experts, self.n_inputs, width, dropout)
        self.gates = GroupedLinear(self.n_tasks, self.n_inputs, n_experts, bias=False)

    def extract(self, window: Float[Tensor, "B n"]) -> Float[Tensor, "B tasks D"]:
        """The mixture of each task."""
        mixed: Tensor = self.gates(window).softmax(-1) @ self.experts(window).squeeze(1)
        return mixed


MODEL = MMoE
