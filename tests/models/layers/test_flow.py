from __future__ import annotations

import math
from typing import Any, Literal

import pytest
import torch
from torch import nn

from models.heads.draws import Draws
from models.layers.flow import AffineCoupling, Flow, MaskedAutoregression

pytestmark = pytest.mark.usefixtures("one_thread")
jacobian_of: Any = torch.autograd.functional.jacobian
Kind = Literal["real_nvp", "maf"]
every_flow = pytest.mark.parametrize("kind", ["real_nvp", "maf"])
every_width = pytest.mark.parametrize("n_values", [1, 2, 3, 7])


def flow(kind: Kind, n_values: int, n_blocks: int = 3) -> Flow:
    """With weights large enough that no map is close to the identity."""
    found = Flow(kind, n_values, n_condition=4, width=16, n_hidden=2, n_blocks=n_blocks).double()
    for weight in found.parameters():
        nn.init.normal_(weight, std=0.4)
    return found


@every_width
@every_flow
def test_noise_and_back_is_the_identity(kind: Kind, n_values: int) -> None:
    found, values, condition = flow(kind, n_values), torch.randn(50, n_values).double(), torch.randn(50, 4).double()
    noise, _ = found.to_noise(values, condition)
    assert not torch.allclose(noise, values, atol=0.1)
    torch.testing.assert_close(found.from_noise(noise, condition), values, atol=1e-9, rtol=1e-9)


@every_width
@every_flow
def test_log_scales_sum_to_the_log_determinant_of_the_jacobian(kind: Kind, n_values: int) -> None:
    found, condition = flow(kind, n_values), torch.randn(4).double()
    for values in torch.randn(5, n_values).double():
        jacobian = jacobian_of(lambda x: found.to_noise(x, condition)[0], values)
        expected = torch.linalg.slogdet(jacobian).logabsdet
        assert expected.abs() > 1e-3
        torch.testing.assert_close(found.to_noise(values, condition)[1].sum(), expected)


@every_flow
def test_the_shares_of_the_channels_sum_to_a_density_whose_integral_is_1(kind: Kind) -> None:
    found = Flow(kind, 2, n_condition=4, width=16, n_hidden=2, n_blocks=3)
    found.double()
    line = torch.linspace(-12, 12, 241).double()
    values = torch.cartesian_prod(line, line).unsqueeze(0)
    losses = found.losses(values, torch.randn(1, 1, 4).double().expand(-1, len(values[0]), -1))
    assert losses.sum(-1).neg().exp().sum().item() * 0.1**2 == pytest.approx(1, abs=1e-3)


@pytest.mark.parametrize("reverse", [False, True])
def test_a_coupling_keeps_one_half_and_changes_each_value_of_the_other_by_its_own_affine_map(reverse: bool) -> None:
    block = AffineCoupling(5, 4, width=8, n_hidden=1, reverse=reverse).double()
    jacobian = jacobian_of(lambda x: block(x, torch.ones(4).double())[0], torch.randn(5).double())
    kept, changed = (slice(2, 5), slice(0, 2)) if reverse else (slice(0, 2), slice(2, 5))
    assert torch.equal(jacobian[kept, kept], torch.eye(len(jacobian[kept])).double())
    assert not jacobian[kept, changed].any()
    assert jacobian[changed, kept].all()
    assert torch.equal(jacobian[changed, changed].bool(), torch.eye(len(jacobian[changed])).bool())


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(("n_values", "width"), [(1, 8), (4, 16), (4, 3)])
def test_an_autoregressive_block_reads_the_values_before_each_one_and_all_of_the_condition(
    n_values: int, width: int, reverse: bool
) -> None:
    block = MaskedAutoregression(n_values, 2, width=width, n_hidden=2, reverse=reverse).double()
    for weight in block.parameters():
        nn.init.uniform_(weight, 0.1, 1.0)  # no unit that is off hides a connection
    values, condition = torch.rand(n_values).double(), torch.rand(2).double()
    by_value, by_condition = jacobian_of(lambda x, h: block(x, h)[0], (values, condition))
    ones = torch.ones(n_values, n_values)
    before = (ones.triu() if reverse else ones.tril()).bool()
    assert not by_value[~before].any()
    assert by_condition.all()
    if width >= n_values:
        assert by_value[before].all()


@every_flow
@pytest.mark.parametrize("n_values", [1, 3, 21])
def test_every_weight_gets_a_gradient(kind: Kind, n_values: int) -> None:
    found = Flow(kind, n_values, n_condition=4, width=50, n_hidden=2, n_blocks=3).double()
    torch.autograd.backward(found.losses(torch.randn(8, 2, n_values).double(), torch.randn(8, 2, 4).double()).mean())
    assert all(weight.grad is not None and weight.grad.any() for weight in found.parameters())


@every_flow
def test_a_correlation_is_learnt(kind: Kind) -> None:
    covariance = torch.tensor([[1.0, 0.8], [0.8, 1.0]])
    values = torch.randn(2000, 1, 2) @ torch.linalg.cholesky(covariance).T + torch.tensor([1.0, -2.0])
    found, condition = Flow(kind, 2, n_condition=1, width=16, n_hidden=1, n_blocks=3), torch.ones(1, 1, 1)
    optimizer = torch.optim.Adam(found.parameters(), lr=1e-2)
    for _ in range(300):
        loss = found.losses(values, condition.expand(2000, -1, -1)).sum(-1).mean()
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
    entropy = 1 + math.log(2 * math.pi) + 0.5 * torch.logdet(covariance).item()
    assert loss.item() == pytest.approx(entropy, abs=0.05)
    with torch.no_grad():
        paths = found.draw(condition.expand(-1, 5000, -1), Draws(0, torch.arange(1)))[0]
    torch.testing.assert_close(paths.T.cov(), covariance, atol=0.15, rtol=0)
    torch.testing.assert_close(paths.mean(0), torch.tensor([1.0, -2.0]), atol=0.1, rtol=0)
