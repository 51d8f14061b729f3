from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from models.heads.draws import Draws
from models.layers.diffusion import Denoiser, Diffusion, ReverseProcess, alpha_bars

pytestmark = pytest.mark.usefixtures("one_thread")
BETAS = np.linspace(1e-4, 0.1, 100)


def diffusion(horizon: int = 1, n_sampling_steps: int = 20, eta: float = 1.0) -> Diffusion:
    return Diffusion(
        2,
        3,
        horizon,
        n_steps=100,
        last_beta=0.1,
        n_sampling_steps=n_sampling_steps,
        eta=eta,
        width=32,
        n_layers=2,
    )


def test_alpha_bars_are_products_of_what_each_beta_leaves() -> None:
    product = 1.0
    for beta, bar in zip(BETAS, alpha_bars(100, 0.1), strict=True):
        product *= 1 - beta
        assert bar == pytest.approx(product, rel=1e-12)


def test_over_all_steps_the_way_back_is_algorithm_2() -> None:
    process, bars = ReverseProcess(alpha_bars(100, 0.1), 100, 1.0), alpha_bars(100, 0.1)
    assert process.places == list(range(99, -1, -1))
    for n, (keep, remove, add) in zip(process.places, process.coefficients, strict=True):
        before = bars[n - 1] if n else 1.0
        assert keep == pytest.approx(1 / np.sqrt(1 - BETAS[n]))
        assert remove == pytest.approx(-BETAS[n] / np.sqrt(1 - bars[n]) / np.sqrt(1 - BETAS[n]))
        assert add**2 == pytest.approx((1 - before) / (1 - bars[n]) * BETAS[n])


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("n_steps", [1, 2, 7, 100])
def test_with_the_true_noise_the_way_back_ends_at_the_values_whatever_it_skips(n_steps: int, eta: float) -> None:
    bars, values = alpha_bars(100, 0.1), torch.randn(500, 2).double()
    process = ReverseProcess(bars, n_steps, eta)
    assert (process.places[0], len(process.places)) == (99, n_steps)

    def noise_in(noisy: Tensor, step: int) -> Tensor:
        bar = bars[process.places[step]]
        found: Tensor = (noisy - bar**0.5 * values) / (1 - bar) ** 0.5
        torch.testing.assert_close(found.std().item(), 1.0, atol=0.1, rtol=0)  # q(x_n | x_0) at each step
        return found

    back = process.run(torch.randn(500, 2).double(), noise_in, lambda: torch.randn(500, 2).double())
    torch.testing.assert_close(back, values, atol=1e-9, rtol=0)


@pytest.mark.parametrize("n_values", [1, 3])
def test_a_denoiser_is_its_layers_written_out(n_values: int) -> None:
    network, values, condition = Denoiser(n_values, 3, 10, width=4, n_layers=2), torch.randn(5, n_values), torch.randn(5, 3)
    places = torch.tensor([0, 9, 3, 3, 5])
    context = network.condition(condition) + network.of_steps(places)
    hidden = network.inputs(values)
    for layer in range(2):
        u = (
            condition @ network.condition.weight[4 * layer : 4 * layer + 4].T
            + network.condition.bias[4 * layer : 4 * layer + 4]
        )
        v = network.step(network.positions[places])[:, 4 * layer : 4 * layer + 4]
        f, g = network.gates[layer](hidden + u + v).split(4, -1)
        hidden = hidden + network.outputs[layer](torch.tanh(f) * torch.sigmoid(g))
    torch.testing.assert_close(network(values, context), network.noise(hidden))


def test_values_and_noise_keep_their_shares_of_the_variance() -> None:
    density, places = diffusion(), torch.tensor([0, 40, 99])
    noisy = density.noised(torch.tensor([[3.0, 0.0]] * 3), torch.tensor([[0.0, 2.0]] * 3), places)
    bars = torch.from_numpy(alpha_bars(100, 0.1)[places]).float()
    torch.testing.assert_close(noisy, torch.stack([3 * bars.sqrt(), 2 * (1 - bars).sqrt()], -1))


def test_in_training_steps_and_noise_are_drawn_and_in_evaluation_they_are_fixed() -> None:
    density, values, condition = diffusion(horizon=4), torch.randn(3, 4, 2), torch.randn(3, 4, 3)
    assert not torch.equal(density.losses(values, condition), density.losses(values, condition))
    state = torch.get_rng_state()
    fixed = density.eval().losses(values, condition)
    torch.testing.assert_close(density.losses(values[1:2], condition[1:2]), fixed[1:2])
    assert torch.equal(torch.get_rng_state(), state)
    assert len(set(density.grid.tolist())) == 8


@pytest.mark.parametrize(("n_sampling_steps", "eta"), [(100, 1.0), (20, 0.0)])
def test_a_correlation_is_learnt(n_sampling_steps: int, eta: float) -> None:
    covariance, mean = torch.tensor([[1.0, 0.8], [0.8, 1.0]]), torch.tensor([1.0, -1.0])
    values = torch.randn(4000, 1, 2) @ torch.linalg.cholesky(covariance).T + mean
    density, condition = diffusion(n_sampling_steps=n_sampling_steps, eta=eta), torch.ones(1, 1, 3)
    optimizer = torch.optim.Adam(density.parameters(), lr=5e-3)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, 400)
    for _ in range(400):
        loss = density.losses(values[torch.randint(4000, (512,))], condition.expand(512, -1, -1)).mean()
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        paths = density.eval().draw(condition.expand(-1, 4000, -1), Draws(0, torch.arange(1)))[0]
    torch.testing.assert_close(paths.T.cov(), covariance, atol=0.2, rtol=0)
    torch.testing.assert_close(paths.mean(0), mean, atol=0.12, rtol=0)
    with torch.no_grad():
        torch.testing.assert_close(density.centre(condition)[0, 0], mean, atol=0.3, rtol=0)
