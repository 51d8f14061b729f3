from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from models.base import WindowShape
from models.mmoe import MMoE

pytestmark = pytest.mark.usefixtures("one_thread")
SHAPE = WindowShape(lookback=7, horizon=5, n_targets=3)


@pytest.mark.parametrize(("task", "n_tasks"), [("channel", 3), ("horizon", 2)])
def test_a_task_gets_the_mixture_of_all_experts_by_its_own_gate(task: str, n_tasks: int) -> None:
    model, window = MMoE(SHAPE, task=task, n_blocks=2, n_experts=4, width=6), torch.randn(2, 21)  # type: ignore[arg-type]
    mixtures = model.extract(window)
    assert mixtures.shape == (2, n_tasks, 6)
    weight, bias = model.experts.linear.weight[0].view(4, 6, 21), model.experts.linear.bias[0].view(4, 6)  # type: ignore[index]
    for k in range(n_tasks):
        gate = F.softmax(window @ model.gates.weight[k].T, -1)
        expected = sum(gate[:, i, None] * F.relu(F.linear(window, weight[i], bias[i])) for i in range(4))
        torch.testing.assert_close(mixtures[:, k], expected)


def test_a_horizon_shorter_than_its_blocks_has_one_step_a_task() -> None:
    model = MMoE(WindowShape(lookback=7, horizon=2, n_targets=3), task="horizon", n_blocks=4)
    assert model.n_tasks == 2


def test_an_argument_out_of_range_is_refused_in_one_sentence() -> None:
    with pytest.raises(ValueError, match=r"model.n_experts must be 1 or more, got 0"):
        MMoE(SHAPE, n_experts=0)
