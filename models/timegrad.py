"""TimeGrad: an LSTM over the past conditions a diffusion model of all channels of each step.

Rasul, Seward, Schuster and Vollgraf, "Autoregressive Denoising Diffusion Models for Multivariate Probabilistic Time Series
Forecasting", ICML 2021.
"""

from __future__ import annotations

from typing import Literal

from models.base import WindowShape
from models.layers.arguments import at_least, fraction
from models.layers.density import DensityForecaster
from models.layers.diffusion import Diffusion


class TimeGrad(DensityForecaster):
    """TimeGrad (Rasul et al., ICML 2021); the defaults are those of the paper and its code, but for ``denoiser_width``.

    - h_t = LSTM(h_{t-1}, x_t) over the lookback and through the horizon; x_t holds all channels of the step before, their lags
      and what is known of the step.
    - p(z_t | h_t) is the way back of a diffusion of N steps, whose betas rise linearly. The loss is the squared error of the
      noise that a network finds in a noisy z_t, given h_t and the diffusion step (algorithm 1).
    - A forecast goes the way back from noise, with the posterior's variance (algorithm 2), and feeds what it gives back.

    Departures: the network's dilated convolutions along the channels are linear maps of all channels (see ``Denoiser``), 64
    wide for 8 convolution channels, and its layers add to each other only, without a sum of skips or a division by sqrt(2);
    the loss counts the horizon alone, not the lookback; series are scaled by data.scaling, or the window by a norm, not by the
    mean of its past. Fewer evaluations than N, and implicit sampling, are offered. Targets reach the loss without a gradient
    to a norm, which could make any of them small.

    Args:
        shape: The sizes of a window. K, S, G and the lags may be absent.
        width: Of the state of each layer of the LSTM.
        n_layers: Of the LSTM.
        dropout: Between its layers.
        condition_width: Of what the denoiser reads of the state.
        n_diffusion_steps: N.
        last_beta: The largest beta, between 1e-4, the first one, and 1.
        denoiser_width: Of the residual layers.
        n_denoiser_layers: How many.
        n_sampling_steps: Of the N, on the way back of a forecast, whose time it makes.
        eta: Of the noise that algorithm 2 adds on the way back, in [0, 1]; 0 is implicit sampling, good with few steps.
        norm: Level and spread of the observed past, which the network does not see: none, last (value), revin (see WindowNorm).

    Raises:
        ValueError: an argument is out of its range.
    """

    def __init__(
        self,
        shape: WindowShape,
        *,
        width: int = 40,
        n_layers: int = 2,
        dropout: float = 0.1,
        condition_width: int = 100,
        n_diffusion_steps: int = 100,
        last_beta: float = 0.1,
        denoiser_width: int = 64,
        n_denoiser_layers: int = 8,
        n_sampling_steps: int = 100,
        eta: float = 1.0,
        norm: Literal["none", "last", "revin"] = "none",
    ) -> None:
        at_least(1, width=width, n_layers=n_layers, condition_width=condition_width, n_diffusion_steps=n_diffusion_steps)
        at_least(1, denoiser_width=denoiser_width, n_denoiser_layers=n_denoiser_layers, n_sampling_steps=n_sampling_steps)
        fraction(eta=eta)
        if not 1e-4 < last_beta < 1:
            raise ValueError(f"model.last_beta must lie between 0.0001, the first one, and 1, got {last_beta}")
        if n_sampling_steps > n_diffusion_steps:
            raise ValueError(
                f"model.n_sampling_steps must not exceed n_diffusion_steps, got n_sampling_steps={n_sampling_steps}, "
                f"n_diffusion_steps={n_diffusion_steps}; use {n_diffusion_steps} or less"
            )
        density = Diffusion(
            shape.n_targets,
            condition_width,
            shape.horizon,
            n_steps=n_diffusion_steps,
            last_beta=last_beta,
            n_sampling_steps=n_sampling_steps,
            eta=eta,
            width=denoiser_width,
            n_layers=n_denoiser_layers,
        )
        super().__init__(
            shape, density, width=width, n_layers=n_layers, dropout=dropout, condition_width=condition_width, norm=norm
        )


MODEL = TimeGrad
