"""What every head promises, checked for each value of ``train.loss``: first alone, then learning what is known."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from datasets.windows.batch import Batch
from models.base import DIRECT, HEADS, WindowShape
from models.heads import make_head
from models.heads.base import Head
from models.heads.draws import Draws
from models.heads.point import LOSSES
from tests.models.batches import make_batch
from tuner.study.train_config import Loss, PointLoss, TrainConfig

pytestmark = pytest.mark.usefixtures("one_thread")
SHAPE = WindowShape(lookback=6, horizon=3, n_targets=2)
every_head = pytest.mark.parametrize("loss", DIRECT)
every_distribution = pytest.mark.parametrize("loss", [loss for loss in DIRECT if loss not in LOSSES])


def outputs_of(head: Head, batch: Batch) -> Tensor:
    return torch.randn(*batch.future_target.shape, head.n_outputs, generator=torch.Generator().manual_seed(1))


def test_every_head_is_a_loss_of_a_config() -> None:
    assert get_args(Loss) == HEADS
    assert get_args(PointLoss) == tuple(LOSSES)
    for loss in HEADS:
        assert isinstance(make_head(TrainConfig(loss=loss).loss), Head)


def test_a_config_refuses_a_rank_or_levels_out_of_range() -> None:
    with pytest.raises(ValueError, match=r"train.rank must be 1 or more, got 0"):
        TrainConfig(rank=0)
    with pytest.raises(ValueError, match=r"train.quantile_levels must be numbers that rise"):
        TrainConfig(quantile_levels="0.9,0.1")
    with pytest.raises(ValueError, match=r"train.rank must be 1 or more, got 0"):
        make_head("low_rank_normal", rank=0)


@every_head
def test_there_is_a_finite_loss_for_each_value(loss: str) -> None:
    head, batch = make_head(loss), make_batch(SHAPE)
    losses = head.loss(outputs_of(head, batch), batch)
    assert losses.shape == (4, 3, 2)
    assert losses.dtype == torch.float32
    assert losses.isfinite().all()


@every_head
def test_in_evaluation_a_loss_draws_nothing(loss: str) -> None:
    head, batch = make_head(loss).eval(), make_batch(SHAPE)
    before = torch.get_rng_state()
    head.loss(outputs_of(head, batch), batch)
    assert torch.equal(torch.get_rng_state(), before)


@every_head
def test_a_value_that_was_not_observed_moves_no_loss_of_another_one(loss: str) -> None:
    head, batch = make_head(loss), make_batch(SHAPE)
    outputs, there = outputs_of(head, batch), torch.rand(4, 3, 2) < 0.5
    assert there.any()
    other = batch.future_target.where(there, 7.0)
    losses = []
    for target in (batch.future_target, other):
        torch.manual_seed(0)
        losses.append(head.loss(outputs, replace(batch, future_observed=there, future_target=target))[there])
    assert torch.equal(*losses)


@every_head
def test_forecasts_are_finite_and_a_function_of_seed_and_window(loss: str) -> None:
    head, batch = make_head(loss), make_batch(SHAPE)
    outputs = outputs_of(head, batch)
    paths = head.forecast(outputs, batch.inputs, 9, Draws(3, torch.arange(4))).paths
    assert paths.shape == (4, 1 if loss in LOSSES else 9, 3, 2)
    assert paths.dtype == torch.float32
    assert paths.isfinite().all()
    assert torch.equal(paths, head.forecast(outputs, batch.inputs, 9, Draws(3, torch.arange(4))).paths)


@every_distribution
def test_bfloat16_outputs_are_computed_in_float32(loss: str) -> None:
    head, batch = make_head(loss), make_batch(SHAPE)
    low = outputs_of(head, batch).bfloat16()
    results = []
    for enabled in (False, True):
        torch.manual_seed(0)
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            outputs = low if enabled else low.float()
            paths = head.forecast(outputs, batch.inputs, 4, Draws(0, torch.arange(4))).paths
            results.append(torch.cat([head.loss(outputs, batch).flatten(), paths.flatten()]))
    assert torch.equal(*results)


@every_head
def test_the_state_of_a_head_is_its_weights(loss: str) -> None:
    head = make_head(loss)
    assert set(head.state_dict()) == {name for name, _ in head.named_parameters()}


@pytest.mark.parametrize("loss", sorted({*DIRECT} - {*LOSSES} - {"negative_binomial"}))  # counts end at 0
def test_a_location_shifts_the_paths_and_a_log_spread_stretches_them_about_it(loss: str) -> None:
    head, batch = make_head(loss), make_batch(SHAPE)
    outputs = outputs_of(head, batch)
    moved = outputs.clone()
    moved[..., 0] += 3
    moved[..., 1] += float(np.log(2))
    paths, others = (head.forecast(x, batch.inputs, 9, Draws(0, torch.arange(4))).paths for x in (outputs, moved))
    location = outputs[..., 0].unsqueeze(1)
    torch.testing.assert_close(others - location - 3, 2 * (paths - location), atol=1e-4, rtol=1e-4)


def learnt(head: Head, values: Tensor, steps: int = 300) -> tuple[list[float], Tensor, Batch]:
    """Trains outputs that are the same for all windows on (n, C) values; gives losses, 2000 paths (2000, C) and the batch."""
    n, width = values.shape
    batch = make_batch(WindowShape(lookback=1, horizon=1, n_targets=width), n)
    batch = replace(batch, future_target=values.unsqueeze(1))
    bias = torch.nn.Parameter(0.1 * torch.randn(1, 1, width, head.n_outputs))
    optimizer = torch.optim.Adam([bias, *head.parameters()], lr=0.1)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, steps)
    losses = []
    for _ in range(steps):
        loss = head.loss(bias.expand(n, -1, -1, -1), batch).mean()
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    one = make_batch(WindowShape(lookback=1, horizon=1, n_targets=width), 1).inputs
    with torch.no_grad():
        paths = head.forecast(bias, one, 2000, Draws(0, torch.arange(1))).paths
    return losses, paths[0, :, 0], batch


TRUTH = {
    "quantile": stats.norm(2, 0.5),
    "implicit_quantile": stats.norm(2, 0.5),
    "normal": stats.norm(2, 0.5),
    "student_t": stats.t(4, 2, 0.5),
    "negative_binomial": stats.nbinom(2, 0.25),
    "low_rank_normal": stats.norm(2, 0.5),
}
LEARNT_LEVELS = (0.1, 0.3, 0.5, 0.7, 0.9)


@every_distribution
def test_a_distribution_is_learnt_from_its_values(loss: str) -> None:
    head = make_head(loss, quantile_levels="0.1,0.3,0.5,0.7,0.9")
    middles = (np.arange(1000) + 0.5) / 1000
    values = torch.tensor(TRUTH[loss].ppf(middles), dtype=torch.float32).unsqueeze(1)
    losses, paths, _ = learnt(head, values)
    assert np.mean(losses[-20:]) < losses[0]
    expected = TRUTH[loss].ppf(LEARNT_LEVELS)
    tolerance = 1.01 if loss == "negative_binomial" else 0.06
    np.testing.assert_allclose(np.quantile(paths[:, 0], LEARNT_LEVELS), expected, atol=tolerance)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_point_is_learnt_from_its_values(loss: str) -> None:
    values = torch.tensor(stats.expon.ppf((np.arange(1000) + 0.5) / 1000), dtype=torch.float32).unsqueeze(1)
    _, paths, _ = learnt(make_head(loss), values)
    answer = {"mse": values.mean(), "mae": values.median(), "huber": values.clamp(max=paths.item() + 1).mean()}[loss]
    assert paths.item() == pytest.approx(answer.item(), abs=0.03)


def test_a_correlation_of_channels_is_learnt() -> None:
    covariance = torch.tensor([[1.0, 0.8, 0.0], [0.8, 4.0, 0.0], [0.0, 0.0, 0.25]])
    noise = torch.randn(4000, 3)
    values = noise @ torch.linalg.cholesky(covariance).T + torch.tensor([1.0, -2.0, 0.5])
    _, paths, _ = learnt(make_head("low_rank_normal", rank=1), values)
    np.testing.assert_allclose(np.cov(paths.T.numpy()), np.cov(values.T.numpy()), atol=0.15)
    np.testing.assert_allclose(paths.mean(0), values.mean(0), atol=0.05)
