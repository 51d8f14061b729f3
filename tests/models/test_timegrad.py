from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from models.base import WindowShape
from models.heads.draws import Draws
from models.heads.own import OwnHead
from models.timegrad import TimeGrad
from tests.models.batches import make_batch
from tests.models.test_tempflow import toy

pytestmark = pytest.mark.usefixtures("one_thread")
SHAPE = WindowShape(lookback=6, horizon=4, n_targets=3, n_known=2, lags=(1, 3))
SMALL: dict[str, Any] = {"width": 8, "condition_width": 5, "denoiser_width": 8, "n_denoiser_layers": 2}


def timegrad(shape: WindowShape = SHAPE, **arguments: Any) -> TimeGrad:
    return TimeGrad(shape, **{**SMALL, "dropout": 0.0, "n_sampling_steps": 5, **arguments})


def test_in_evaluation_a_loss_is_that_of_its_window_alone_and_draws_nothing() -> None:
    model, batch, state = timegrad().eval(), make_batch(SHAPE), torch.get_rng_state()
    whole = model.training_loss(batch, OwnHead())
    for window, part in enumerate(batch.split(4)):
        torch.testing.assert_close(model.training_loss(part, OwnHead()), whole[window : window + 1])
    assert torch.equal(torch.get_rng_state(), state)


def test_what_fills_a_missing_value_moves_no_loss_of_another_window_or_of_a_step_before() -> None:
    model, batch = timegrad().eval(), make_batch(SHAPE)
    future = batch.future_target.clone()
    future[1, 2, 0] += 3
    losses, others = (model.training_loss(b, OwnHead()) for b in (batch, replace(batch, future_target=future)))
    expected = torch.zeros(4, 4, dtype=torch.bool)
    expected[1, 2:] = True
    assert torch.equal((losses != others).any(-1), expected)


def test_a_norm_cannot_make_the_loss_small_by_its_targets() -> None:
    model, batch = timegrad(norm="revin"), make_batch(SHAPE)
    for weight in model.network.parameters():
        torch.nn.init.zeros_(weight)  # the past reaches the loss no more
    torch.autograd.backward(model.training_loss(batch, OwnHead()).mean())
    assert not any(weight.grad.any() for weight in model.norm.parameters() if weight.grad is not None)
    assert all(weight.grad is not None and weight.grad.any() for weight in model.density.parameters())


@pytest.mark.parametrize("n_targets", [1, 21])
def test_every_weight_gets_a_gradient(n_targets: int) -> None:
    shape = replace(SHAPE, n_targets=n_targets)
    model = timegrad(shape)
    torch.autograd.backward(model.training_loss(make_batch(shape), OwnHead()).mean())
    assert all(weight.grad is not None and weight.grad.any() for weight in model.parameters())


@pytest.mark.parametrize("eta", [0.0, 1.0])
def test_a_conditional_correlation_is_learnt(eta: float) -> None:
    shape = WindowShape(lookback=1, horizon=1, n_targets=2)
    model = timegrad(shape, width=16, condition_width=16, denoiser_width=32, n_layers=1, n_sampling_steps=50, eta=eta)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, 400)
    for _ in range(400):
        loss = model.training_loss(toy(512), OwnHead()).mean()
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        schedule.step()
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
        ({"n_sampling_steps": 0}, "model.n_sampling_steps must be 1 or more, got 0"),
        ({"n_sampling_steps": 101}, "model.n_sampling_steps must not exceed n_diffusion_steps, got.*; use 100 or less"),
        ({"eta": 1.5}, r"model.eta must lie in \[0, 1\], got 1.5"),
        ({"last_beta": 1.0}, "model.last_beta must lie between 0.0001, the first one, and 1, got 1.0"),
    ],
)
def test_an_argument_out_of_range_is_refused_in_one_sentence(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        timegrad(**arguments)
