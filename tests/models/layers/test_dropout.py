from __future__ import annotations

import pytest
import torch

from models.layers.dropout import Dropout


def test_a_share_of_p_becomes_zero_and_the_mean_stays() -> None:
    torch.manual_seed(0)
    dropped = Dropout(0.3)(torch.ones(400_000))
    assert abs((dropped == 0).float().mean() - 0.3) < 0.004
    assert abs(dropped.mean() - 1) < 0.006


def test_neighbours_that_share_a_draw_are_independent() -> None:
    torch.manual_seed(0)
    zeroed = (Dropout(0.5)(torch.ones(100_000, 4)) == 0).float()
    assert (torch.corrcoef(zeroed.T) - torch.eye(4)).abs().max() < 0.02


def test_evaluation_and_p_0_leave_values_alone() -> None:
    values = torch.randn(5, 3)
    assert torch.equal(Dropout(0.5).eval()(values), values)
    assert torch.equal(Dropout(0.0)(values), values)


def test_the_gradient_is_the_mask() -> None:
    values = torch.ones(3, 5, requires_grad=True)
    dropped = Dropout(0.5)(values)
    dropped.sum().backward()
    assert values.grad is not None
    assert torch.equal(values.grad, dropped.detach())


@pytest.mark.parametrize("p", [-0.1, 1.0])
def test_p_outside_0_to_1_is_refused(p: float) -> None:
    with pytest.raises(ValueError, match=r"model.dropout must lie in \[0, 1\)"):
        Dropout(p)
