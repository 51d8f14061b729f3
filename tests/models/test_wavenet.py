from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from models.base import WindowShape
from models.wavenet import WaveNet
from tests.models.batches import make_batch

SHAPE = WindowShape(lookback=16, horizon=5, n_targets=3, n_known=2)


def skips_of_whole_convolutions(model: WaveNet, steps: Tensor) -> Tensor:
    """Figure 4 with the library's dilated convolutions, at every step; the sum of the skip connections at the last."""
    gates, maps = [layer.gate for layer in model.layers] + [model.last], model.skip.weight.chunk(len(model.layers) + 1, -1)
    total, current = model.skip.bias, steps.mT
    for i, (gate, skip) in enumerate(zip(gates, maps, strict=True)):
        dilation = 2 ** (i % model.depth)
        kernel = torch.stack(gate.linear.weight.chunk(2, -1), -1)
        filtered, opening = F.conv1d(F.pad(current, (dilation, 0)), kernel, gate.linear.bias, dilation=dilation).chunk(2, 1)
        through = filtered.tanh() * opening.sigmoid()
        total = total + through[..., -1] @ skip.T
        if i < len(model.layers):
            current = current + model.layers[i].residual(through.mT).mT
    return total


@pytest.mark.parametrize("n_stacks", [1, 3])
@pytest.mark.parametrize("lookback", [1, 2, 5, 16, 23])
def test_skips_of_the_steps_that_the_origin_reads_are_those_of_whole_dilated_convolutions(lookback: int, n_stacks: int) -> None:
    model, steps = WaveNet(replace(SHAPE, lookback=lookback), width=4, n_stacks=n_stacks), torch.randn(2, lookback, 4)
    torch.testing.assert_close(model.skips(steps), skips_of_whole_convolutions(model, steps), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("lookback", "n_layers"), [(1, 1), (2, 1), (3, 2), (16, 4), (17, 5)])
def test_the_dilations_of_a_stack_cover_the_lookback(lookback: int, n_layers: int) -> None:
    model, steps = WaveNet(replace(SHAPE, lookback=lookback), width=4), torch.randn(1, lookback, 4, requires_grad=True)
    assert len(model.layers) + 1 == n_layers
    torch.autograd.backward(model.skips(steps).sum())
    assert steps.grad is not None
    assert steps.grad.any(-1).all()


def test_the_calendar_of_the_last_step_moves_the_last_forecast_alone() -> None:
    inputs, model = make_batch(SHAPE).inputs, WaveNet(SHAPE)
    future_known = inputs.future_known.clone()
    future_known[:, -1] += 1
    moved = (model(replace(inputs, future_known=future_known)) - model(inputs)).abs() > 0
    assert not moved[:, :-1].any()
    assert moved[:, -1].all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"width": 0}, "model.width must be 1 or more, got 0"),
        ({"n_stacks": 0}, "model.n_stacks must be 1 or more, got 0"),
        ({"norm": "batch"}, "model.norm must be one of none, last, revin, got 'batch'"),
    ],
)
def test_an_argument_out_of_range_is_refused_in_one_sentence(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        WaveNet(SHAPE, **arguments)
