"""Denoising diffusion with a condition: noise is added to values step by step, and a network learns to take it out again."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from datasets.base import FloatArray
from models.heads.draws import Draws
from models.layers.density import StepDensity
from models.layers.embedding import sinusoidal_positions

_FIRST_BETA = 1e-4
_GRID = 8
"""Diffusion steps at which a loss is evaluated."""
_CENTRE_STEPS = 4
"""Of the way back without noise."""


def alpha_bars(n_steps: int, last_beta: float) -> FloatArray:
    """prod_{i <= n} (1 - beta_i), n = 1 .. N, for betas that rise linearly from 1e-4 (Ho, Jain and Abbeel, NeurIPS 2020)."""
    return np.cumprod(1 - np.linspace(_FIRST_BETA, last_beta, n_steps, dtype=np.float64))


class ReverseProcess:
    """From noise back to values, over some of the diffusion steps: x' = keep x + remove eps(x) + add noise.

    Song, Meng and Ermon, "Denoising Diffusion Implicit Models", ICLR 2021, equations 12 and 16. Over all steps and with eta = 1
    it is ancestral sampling with the posterior variance (Ho et al., NeurIPS 2020, algorithm 2; Rasul et al., ICML 2021,
    algorithm 2); with eta = 0 all noise is that of the start.

    Args:
        bars: alpha bar of each diffusion step.
        n_steps: How many of them it takes, spread evenly from the last to the first.
        eta: Share of the posterior's standard deviation that is drawn, in [0, 1].
    """

    def __init__(self, bars: FloatArray, n_steps: int, eta: float) -> None:
        places = np.linspace(len(bars) - 1, 0, n_steps).round().astype(int)
        here, after = bars[places], np.append(bars[places[1:]], 1.0)
        variance = eta**2 * (1 - after) / (1 - here) * (1 - here / after)
        keep = np.sqrt(after / here)
        remove = np.sqrt(np.maximum(1 - after - variance, 0)) - keep * np.sqrt(1 - here)
        self.places: list[int] = places.tolist()
        self.coefficients: list[tuple[float, float, float]] = list(
            zip(keep.tolist(), remove.tolist(), np.sqrt(variance).tolist(), strict=True)
        )

    def run(
        self,
        start: Float[Tensor, "*B C"],
        noise_in: Callable[[Float[Tensor, "*B C"], int], Float[Tensor, "*B C"]],
        noise: Callable[[], Float[Tensor, "*B C"]],
    ) -> Float[Tensor, "*B C"]:
        """The values.

        Args:
            start: Standard normal.
            noise_in: The noise that a network sees in values, at the so-manieth of the steps taken.
            noise: Fresh standard normal numbers.
        """
        values = start
        for step, (keep, remove, add) in enumerate(self.coefficients):
            values = keep * values + remove * noise_in(values, step).to(values.dtype)
            if add:
                values = values + add * noise()
        return values


class Denoiser(nn.Module):
    """The noise in noisy values, given a condition and the diffusion step: residual layers with gates, over all channels.

    Layer i: x + B_i [tanh(f) * sigmoid(g)], [f, g] = A_i (x + u_i + v_i), with u_i from the condition and v_i from the step.
    In the network of TimeGrad (Rasul et al., ICML 2021) A_i is a dilated convolution along the channels; here it is a linear
    map of all, for channels have no order. u and v hang on no noisy value: they are computed once for all evaluations.

    Args:
        n_values: C.
        n_condition: D.
        n_steps: N, diffusion steps.
        width: W.
        n_layers: How many.
    """

    positions: Tensor

    def __init__(self, n_values: int, n_condition: int, n_steps: int, width: int, n_layers: int) -> None:
        super().__init__()
        self.n_layers = n_layers
        self.register_buffer("positions", sinusoidal_positions(n_steps, 2 * width), persistent=False)
        self.step = nn.Sequential(
            nn.Linear(2 * width, width), nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, n_layers * width)
        )
        self.condition = nn.Linear(n_condition, n_layers * width)
        self.inputs = nn.Linear(n_values, width)
        self.gates = nn.ModuleList(nn.Linear(width, 2 * width) for _ in range(n_layers))
        self.outputs = nn.ModuleList(nn.Linear(width, width) for _ in range(n_layers))
        self.noise = nn.Linear(width, n_values)

    def of_steps(self, places: Int[Tensor, "*B"]) -> Float[Tensor, "*B LW"]:
        """v of all layers, of the diffusion steps at ``places``, counted from 0."""
        return F.embedding(places, self.step(self.positions))

    def forward(self, values: Float[Tensor, "*B C"], context: Float[Tensor, "*B LW"]) -> Float[Tensor, "*B C"]:
        """The noise.

        Args:
            values: Noisy ones.
            context: u + v: ``condition`` of the condition plus ``of_steps``.
        """
        hidden: Tensor = self.inputs(values)
        for gate, output, part in zip(self.gates, self.outputs, context.chunk(self.n_layers, -1), strict=True):
            filtered, opened = gate(hidden + part).chunk(2, -1)
            hidden = hidden + output(filtered.tanh() * opened.sigmoid())
        noise: Tensor = self.noise(hidden)
        return noise


class Diffusion(StepDensity):
    """q(x_n | x_0) = N(sqrt(a_n) x_0, (1 - a_n) I); the loss is (eps - eps_theta(sqrt(a_n) x_0 + sqrt(1 - a_n) eps, h, n))^2.

    While training, n is uniform and eps standard normal, for each window and step. While evaluating, the loss is the mean over
    8 diffusion steps spread evenly, with noise that is fixed for each step of the horizon.

    Args:
        n_values: C.
        n_condition: D.
        horizon: H.
        n_steps: N.
        last_beta: beta_N; betas rise linearly from 1e-4.
        n_sampling_steps: Evaluations of the network for one step of a forecast (see ``ReverseProcess``).
        eta: See ``ReverseProcess``.
        width: Of the denoiser.
        n_layers: Of the denoiser.
    """

    is_likelihood: ClassVar[bool] = False
    bars: Tensor
    grid: Tensor
    evaluation_noise: Tensor

    def __init__(
        self,
        n_values: int,
        n_condition: int,
        horizon: int,
        *,
        n_steps: int,
        last_beta: float,
        n_sampling_steps: int,
        eta: float,
        width: int,
        n_layers: int,
    ) -> None:
        super().__init__()
        bars = alpha_bars(n_steps, last_beta)
        self.n_values = n_values
        self.denoiser = Denoiser(n_values, n_condition, n_steps, width, n_layers)
        self.back = ReverseProcess(bars, n_sampling_steps, eta)
        self.back_to_centre = ReverseProcess(bars, min(_CENTRE_STEPS, n_steps), 0.0)
        grid = ((torch.arange(_GRID) + 0.5) * n_steps / _GRID).long()
        noise = torch.randn(_GRID, horizon, n_values, generator=torch.Generator().manual_seed(0), device="cpu")
        self.register_buffer("bars", torch.from_numpy(bars).float(), persistent=False)
        self.register_buffer("grid", grid, persistent=False)
        self.register_buffer("evaluation_noise", noise, persistent=False)

    def noised(
        self, values: Float[Tensor, "*B C"], noise: Float[Tensor, "*B C"], places: Int[Tensor, "*B"]
    ) -> Float[Tensor, "*B C"]:
        """Values after so many diffusion steps, counted from 0."""
        bars = self.bars[places].unsqueeze(-1)
        return bars.sqrt() * values + (1 - bars).sqrt() * noise

    def losses(self, values: Float[Tensor, "B H C"], condition: Float[Tensor, "B H D"]) -> Float[Tensor, "B H C"]:
        """The squared error of each channel's noise."""
        context = self.denoiser.condition(condition)
        if self.training:
            places = torch.randint(len(self.bars), values.shape[:2], device=values.device)
            return self._errors(values, context, torch.randn_like(values), places)
        errors = [
            self._errors(values, context, noise.expand_as(values), place.expand(values.shape[:2]))
            for noise, place in zip(self.evaluation_noise, self.grid, strict=True)
        ]
        return torch.stack(errors).mean(0)

    def draw(self, condition: Float[Tensor, "B n D"], draws: Draws) -> Float[Tensor, "B n C"]:
        """Noise, at the start spread evenly over the paths, and what the way back makes of it."""
        n_paths = condition.shape[1]
        start = torch.special.ndtri(draws.levels(n_paths, self.n_values))
        return self._back(self.back, start, condition, lambda: draws.normal(n_paths, self.n_values))

    def centre(self, condition: Float[Tensor, "B n D"]) -> Float[Tensor, "B n C"]:
        """The way back from 0 without noise, over 4 steps."""
        start = self.bars.new_zeros(*condition.shape[:-1], self.n_values)
        return self._back(self.back_to_centre, start, condition, lambda: torch.zeros_like(start))

    def _errors(self, values: Tensor, context: Tensor, noise: Tensor, places: Tensor) -> Float[Tensor, "B H C"]:
        found: Tensor = self.denoiser(self.noised(values, noise, places), context + self.denoiser.of_steps(places))
        return (found.float() - noise).square()

    def _back(
        self, process: ReverseProcess, start: Tensor, condition: Tensor, noise: Callable[[], Tensor]
    ) -> Float[Tensor, "B n C"]:
        context = self.denoiser.condition(condition)
        steps = self.denoiser.of_steps(torch.tensor(process.places, device=start.device))
        return process.run(start, lambda values, step: self.denoiser(values, context + steps[step]), noise)
