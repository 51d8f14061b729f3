"""Losses against the densities of scipy, paths against its quantiles."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from datasets.windows.batch import Batch
from models.base import WindowShape
from models.heads import make_head
from models.heads.draws import Draws
from tests.models.batches import make_batch

SHAPE = WindowShape(lookback=6, horizon=3, n_targets=2)


def example(n_outputs: int, n_channels: int = 2) -> tuple[Tensor, Batch]:
    batch = make_batch(replace(SHAPE, n_targets=n_channels))
    outputs = torch.randn(4, 3, n_channels, n_outputs, generator=torch.Generator().manual_seed(1))
    return outputs, batch


def numbers(*tensors: Tensor) -> list[np.ndarray]:
    return [tensor.double().numpy() for tensor in tensors]


def softplus(x: np.ndarray) -> np.ndarray:
    return np.log1p(np.exp(x))


def test_the_normal_loss_is_scipys() -> None:
    outputs, batch = example(2)
    mean, log_sd, target = numbers(*outputs.unbind(-1), batch.future_target)
    expected = -stats.norm.logpdf(target, mean, np.exp(log_sd))
    np.testing.assert_allclose(make_head("normal").loss(outputs, batch), expected, rtol=1e-4, atol=1e-5)


def test_the_student_t_loss_is_scipys() -> None:
    outputs, batch = example(3)
    loc, log_scale, raw, target = numbers(*outputs.unbind(-1), batch.future_target)
    expected = -stats.t.logpdf(target, 2 + softplus(raw), loc, np.exp(log_scale))
    np.testing.assert_allclose(make_head("student_t").loss(outputs, batch), expected, rtol=1e-4, atol=1e-5)


def counts(level: float, seed: int = 0) -> Batch:
    """Counts of two channels, scaled by 3 and 50 about ``level``."""
    batch = make_batch(SHAPE, seed=seed)
    scale, loc = torch.tensor([3.0, 50.0]).expand(4, 1, 2), torch.full((4, 1, 2), level)
    future = (batch.future_target.abs() * scale * 2).round()
    return replace(batch, inputs=replace(batch.inputs, scale=scale, loc=loc), future_target=(future - loc) / scale)


def negative_binomial(outputs: Tensor, batch: Batch) -> Any:
    location, log_spread, loc, scale = numbers(*outputs.unbind(-1), batch.inputs.loc, batch.inputs.scale)
    mean, spread = scale * softplus(location + loc / scale), scale * np.exp(log_spread)
    r = (mean / spread) ** 2
    return stats.nbinom(r, r / (r + mean)), mean, spread


@pytest.mark.parametrize("level", [0.0, 4.0])
def test_the_negative_binomial_loss_is_scipys(level: float) -> None:
    (outputs, _), batch = example(2), counts(level)
    distribution, mean, spread = negative_binomial(outputs, batch)
    target = np.round(batch.future_target.double().numpy() * batch.inputs.scale.numpy() + level)
    losses = make_head("negative_binomial").loss(outputs, batch)
    np.testing.assert_allclose(losses, -distribution.logpmf(target), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(distribution.mean(), mean)
    np.testing.assert_allclose(distribution.var(), mean + spread**2)


def test_a_negative_binomial_with_hardly_any_extra_spread_is_poisson() -> None:
    batch = make_batch(SHAPE)
    outputs = torch.stack([torch.full((4, 3, 2), 50.0), torch.full((4, 3, 2), -6.0)], -1)
    batch = replace(batch, future_target=(50 + 7 * batch.future_target).round())
    expected = -stats.poisson.logpmf(batch.future_target.numpy(), 50)
    np.testing.assert_allclose(make_head("negative_binomial").loss(outputs, batch), expected, rtol=1e-3)


@pytest.mark.parametrize("observed", [(True, True, True, True), (True, False, True, True), (False, False, True, False)])
def test_the_shares_of_the_low_rank_loss_add_up_to_scipys_density_of_what_was_observed(observed: tuple[bool, ...]) -> None:
    outputs, batch = example(2 + 2, n_channels=4)
    there = list(np.flatnonzero(observed))
    batch = replace(batch, future_observed=torch.tensor(observed).expand(4, 3, 4))
    losses = make_head("low_rank_normal", rank=2).loss(outputs, batch)
    mean, sd, target = numbers(outputs[..., 0], outputs[..., 1].exp(), batch.future_target)
    factors = outputs[..., 2:].double().numpy()
    for window, step in np.ndindex(4, 3):
        D, V = np.diag(sd[window, step]), factors[window, step]
        covariance = (D @ (np.eye(4) + V @ V.T) @ D)[np.ix_(there, there)]
        expected = -stats.multivariate_normal.logpdf(target[window, step, there], mean[window, step, there], covariance)
        assert losses[window, step].sum().item() == pytest.approx(expected, rel=1e-4, abs=1e-4)
    assert not losses[..., [not o for o in observed]].any()


def test_where_no_channel_was_observed_the_low_rank_loss_is_0() -> None:
    outputs, batch = example(3)
    batch = replace(
        batch, future_observed=torch.zeros(4, 3, 2, dtype=torch.bool), future_target=torch.full((4, 3, 2), torch.nan)
    )
    assert not make_head("low_rank_normal", rank=1).loss(outputs, batch).any()


def quantiles_of(loss: str, outputs: Tensor, batch: Batch, n: int = 50) -> np.ndarray:
    """(n, B, H, C): the paths of each value in order."""
    paths = make_head(loss).forecast(outputs, batch.inputs, n, Draws(0, torch.arange(4))).paths
    return paths.sort(1).values.transpose(0, 1).numpy()


MIDDLES = ((np.arange(50) + 0.5) / 50).reshape(-1, 1, 1, 1)


def test_normal_paths_are_scipys_quantiles() -> None:
    outputs, batch = example(2)
    mean, log_sd = numbers(*outputs.unbind(-1))
    expected = stats.norm.ppf(MIDDLES, mean, np.exp(log_sd))
    np.testing.assert_allclose(quantiles_of("normal", outputs, batch), expected, rtol=1e-4, atol=1e-4)


def test_student_t_paths_are_scipys_quantiles() -> None:
    outputs, batch = example(3)
    loc, log_scale, raw = numbers(*outputs.unbind(-1))
    expected = stats.t.ppf(MIDDLES, 2 + softplus(raw), loc, np.exp(log_scale))
    np.testing.assert_allclose(quantiles_of("student_t", outputs, batch), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("level", [0.0, 4.0])
def test_negative_binomial_paths_are_scipys_quantiles_and_whole_numbers(level: float) -> None:
    (outputs, _), batch = example(2), counts(level)
    original = quantiles_of("negative_binomial", outputs, batch) * batch.inputs.scale.numpy() + level
    np.testing.assert_allclose(original, original.round(), atol=1e-3)
    np.testing.assert_array_equal(original.round(), negative_binomial(outputs, batch)[0].ppf(MIDDLES))


def test_low_rank_paths_have_the_covariance_of_the_distribution() -> None:
    outputs, batch = example(4, n_channels=3)
    outputs[..., 1:] *= 0.5
    head = make_head("low_rank_normal", rank=2)
    paths = head.forecast(outputs, batch.inputs, 20_000, Draws(0, torch.arange(4))).paths[0, :, 0]
    D, V = np.diag(outputs[0, 0, :, 1].exp()), outputs[0, 0, :, 2:].numpy()
    covariance = D @ (np.eye(3) + V @ V.T) @ D
    np.testing.assert_allclose(np.cov(paths.T.numpy()), covariance, atol=0.04 * covariance.max())
    np.testing.assert_allclose(paths.mean(0), outputs[0, 0, :, 0], atol=0.03)


def test_a_spread_far_out_of_range_stays_finite_and_finds_the_way_back() -> None:
    for loss in ("normal", "student_t", "negative_binomial", "low_rank_normal"):
        head, batch = make_head(loss), counts(0.0) if loss == "negative_binomial" else make_batch(SHAPE)
        for extreme in (-1e4, 1e4):
            outputs = torch.full((4, 3, 2, head.n_outputs), 0.1)
            outputs[..., 1] = extreme
            outputs.requires_grad_()
            losses = head.loss(outputs, batch)
            assert torch.isfinite(losses).all(), (loss, extreme)
            torch.autograd.backward(losses.mean())
            assert outputs.grad is not None
            assert torch.isfinite(outputs.grad).all(), (loss, extreme)
            if loss != "negative_binomial" or extreme > 0:
                assert outputs.grad[..., 1].sum() * extreme > 0, (loss, extreme)
