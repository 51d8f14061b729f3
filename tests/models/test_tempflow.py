from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from datasets.windows.batch import Batch
from models.base import WindowShape
from models.heads.draws import Draws
from models.heads.own import OwnHead
from models.layers.sampling import normalised
from models.tempflow import TempFlow
from tests.models.batches import make_batch

pytestmark = pytest.mark.usefixtures("one_thread")
SHAPE = WindowShape(lookback=6, horizon=4, n_targets=3, n_known=2, lags=(1, 3))
SMALL: dict[str, Any] = {"width": 8, "condition_width": 5, "flow_width": 8}


def tempflow(shape: WindowShape = SHAPE, **arguments: Any) -> TempFlow:
    return TempFlow(shape, **{**SMALL, "dropout": 0.0, **arguments})


@pytest.mark.parametrize("flow", ["real_nvp", "maf"])
@pytest.mark.parametrize("norm", ["none", "last", "revin"])
def test_a_path_has_the_log_likelihood_of_its_noise_and_of_the_map_that_made_it(flow: str, norm: str) -> None:
    model, batch = tempflow(flow=flow, norm=norm).eval(), make_batch(SHAPE)
    path = model.predict(batch.inputs, OwnHead(), 1, Draws(0, torch.arange(4))).paths[:, 0]
    draws = Draws(0, torch.arange(4))
    noise = torch.stack([torch.special.ndtri(draws.levels(1, 3))[:, 0] for _ in range(4)], 1)
    seen, statistics = normalised(model.norm, batch.inputs)
    condition = model.condition(model.network.taught(seen, model.norm.normalise(path, statistics)).squeeze(2))

    def values_of(noise: Tensor) -> Tensor:
        found = model.density.from_noise(noise, condition)  # type: ignore[operator]
        return model.norm.restore(found.unsqueeze(-1), statistics).squeeze(-1)

    torch.testing.assert_close(values_of(noise), path, atol=1e-4, rtol=1e-4)
    jacobian: Any = torch.autograd.functional.jacobian
    whole = jacobian(lambda x: values_of(x).sum(0), noise)  # (H, C, B, H, C)
    log_det = torch.stack([torch.linalg.slogdet(whole[t, :, :, t].movedim(1, 0)).logabsdet for t in range(4)], 1)
    expected = log_det + (0.5 * noise.square() + 0.5 * math.log(2 * math.pi)).sum(-1)
    losses = model.training_loss(replace(batch, future_target=path), OwnHead())
    torch.testing.assert_close(losses.sum(-1), expected, atol=1e-3, rtol=1e-3)


def test_what_fills_a_missing_value_moves_no_loss_of_another_window_or_of_a_step_before() -> None:
    model, batch = tempflow(), make_batch(SHAPE)
    future = batch.future_target.clone()
    future[1, 2, 0] += 3
    losses, others = (model.training_loss(b, OwnHead()) for b in (batch, replace(batch, future_target=future)))
    moved = (losses != others).any(-1)
    expected = torch.zeros(4, 4, dtype=torch.bool)
    expected[1, 2:] = True
    assert torch.equal(moved, expected)


@pytest.mark.parametrize("flow", ["real_nvp", "maf"])
@pytest.mark.parametrize("n_targets", [1, 21])
def test_every_weight_gets_a_gradient(flow: str, n_targets: int) -> None:
    shape = replace(SHAPE, n_targets=n_targets)
    model = tempflow(shape, flow=flow, flow_width=50)
    torch.autograd.backward(model.training_loss(make_batch(shape), OwnHead()).mean())
    assert all(weight.grad is not None and weight.grad.any() for weight in model.parameters())


def toy(n_windows: int) -> Batch:
    """Two channels: the first follows the last value of the second, and their noise has a correlation of 0.8."""
    batch = make_batch(WindowShape(lookback=1, horizon=1, n_targets=2), n_windows)
    noise = 0.5 * torch.randn(n_windows, 2) @ torch.linalg.cholesky(torch.tensor([[1.0, 0.8], [0.8, 1.0]])).T
    return replace(
        batch, future_target=(noise + batch.inputs.past_target[:, 0] @ torch.tensor([[0.0, 0.0], [1.0, 0.0]]))[:, None]
    )


def test_a_conditional_correlation_is_learnt() -> None:
    model = tempflow(WindowShape(lookback=1, horizon=1, n_targets=2), width=16, flow_width=16, n_layers=1)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(300):
        loss = model.training_loss(toy(256), OwnHead()).mean()
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
    inputs = replace(toy(3).inputs, past_target=torch.tensor([[[0.3, -1.0]], [[0.3, 0.0]], [[0.3, 1.0]]]))
    with torch.no_grad():
        paths = model.eval().predict(inputs, OwnHead(), 2000, Draws(0, torch.arange(3))).paths[:, :, 0]
    torch.testing.assert_close(paths.mean(1), torch.tensor([[-1.0, 0.0], [0.0, 0.0], [1.0, 0.0]]), atol=0.2, rtol=0)
    for window in paths:
        assert window.T.corrcoef()[0, 1].item() == pytest.approx(0.8, abs=0.1)
        torch.testing.assert_close(window.std(0), torch.tensor([0.5, 0.5]), atol=0.12, rtol=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_blocks": 0}, "model.n_blocks must be 1 or more, got 0"),
        ({"flow": "glow"}, "model.flow must be one of real_nvp, maf, got 'glow'"),
    ],
)
def test_an_argument_out_of_range_is_refused_in_one_sentence(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tempflow(**arguments)
