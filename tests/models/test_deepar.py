from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from models.base import WindowShape
from models.deepar import DeepAR
from models.heads import make_head
from models.heads.draws import Draws
from tests.models.batches import make_batch

SHAPE = WindowShape(lookback=4, horizon=5, n_targets=2, n_known=3, lags=(1, 3), n_outputs=2)


def deepar(shape: WindowShape = SHAPE, **arguments: Any) -> DeepAR:
    torch.manual_seed(0)
    return DeepAR(shape, width=8, **arguments).eval()


def test_a_channel_is_forecast_from_its_own_past() -> None:
    inputs, model = make_batch(SHAPE).inputs, deepar()
    past = inputs.past_target.clone()
    past[:, :, 1] += 1
    moved = model(replace(inputs, past_target=past)) != model(inputs)
    assert moved[:, :, 1, 0].all()
    assert not moved[:, :, 0].any()


@pytest.mark.parametrize("norm", ["none", "last", "revin"])
def test_a_path_without_noise_is_the_one_that_forward_takes(norm: str) -> None:
    inputs, model = make_batch(SHAPE).inputs, deepar(norm=norm)
    with torch.no_grad():
        model.projection.weight[1].zero_()
        model.projection.bias[1] = -19.0
        paths = model.predict(inputs, make_head("normal"), 3, Draws(0, torch.arange(4))).paths
        expected = model(inputs)[..., 0].unsqueeze(1).expand(-1, 3, -1, -1)
    torch.testing.assert_close(paths, expected, atol=1e-4, rtol=1e-4)


def test_drawn_values_are_fed_back_so_that_the_steps_of_a_path_depend_on_each_other() -> None:
    # z_t = z_{t-1} + noise: the projection reads the value before, which a wide enough lag 1 carries through one linear cell.
    class Walk(torch.nn.Module):
        def sampled(self, inputs: Any, n_paths: int, draw: Any) -> Any:
            values = [inputs.past_target[:, -1:].expand(-1, n_paths, -1)]
            for _ in range(200):
                values.append(draw(values[-1].unsqueeze(-1)))
            return torch.stack(values[1:], 2)

    shape = replace(SHAPE, horizon=200)
    model, inputs = deepar(shape), make_batch(shape).inputs
    model.network = Walk()
    model.projection = torch.nn.Linear(1, 2)
    with torch.no_grad():
        model.projection.weight.copy_(torch.tensor([[1.0], [0.0]]))
        model.projection.bias.zero_()
        paths = model.predict(inputs, make_head("normal"), 400, Draws(0, torch.arange(4))).paths
    spread = paths.std(1).mean((0, 2))
    torch.testing.assert_close(spread, torch.arange(1, 201).sqrt(), atol=0.0, rtol=0.1)


def test_the_loss_is_that_of_each_value_given_the_true_ones_before_it() -> None:
    batch, model, head = make_batch(SHAPE), deepar(), make_head("normal")
    losses = model.training_loss(batch, head)
    for step in range(1, 5):
        future = batch.future_target.clone()
        future[:, step:] = 9.0
        part = model.training_loss(replace(batch, future_target=future), head)
        torch.testing.assert_close(part[:, :step], losses[:, :step])
        assert (part[:, step + 1 :] != losses[:, step + 1 :]).all()
