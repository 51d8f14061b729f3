"""FITS: the low frequencies of the past, stretched to a longer window by one complex map.

Xu, Zeng and Xu, "FITS: Modeling Time Series with 10k Parameters", ICLR 2024.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from datasets.windows.batch import Inputs
from models.base import Forecaster, Use, WindowShape
from models.layers.arguments import at_least
from models.layers.normalisation import WindowNorm


class FITS(Forecaster):
    """FITS (Xu et al., ICLR 2024, section 3), each channel by itself with one map.

    - The spectrum of the past is cut above ``order`` harmonics of the period and 10 frequencies more.
    - A complex linear map makes the low frequencies of a window of L + H steps of it.
    - That window, (L + H) / L times the inverse transform, ends with the forecast.

    Departures: the loss is that of the horizon alone, where the paper's second setting also counts the past; real and imaginary
    parts of the map are weights of their own.

    Args:
        shape: The sizes of a window. Calendar features and covariates are not used.
        period: Steps of the first harmonic.
        order: Harmonics that are kept.
        norm: Level and spread of the observed past, which the network does not see: none, last (value), revin (see WindowNorm).

    Raises:
        ValueError: an argument is out of its range.
    """

    uses: ClassVar[frozenset[Use]] = frozenset({"observed"})

    def __init__(
        self, shape: WindowShape, *, period: int = 24, order: int = 6, norm: Literal["none", "last", "revin"] = "revin"
    ) -> None:
        super().__init__(shape)
        at_least(1, period=period, order=order)
        self.norm = WindowNorm(norm, shape.n_targets)
        self.n_steps = shape.lookback + shape.horizon
        self.n_kept = min((shape.lookback // period + 1) * order + 10, shape.lookback // 2 + 1)
        self.n_stretched = min(self.n_kept * self.n_steps // shape.lookback, self.n_steps // 2 + 1)
        n_ahead = self.n_stretched * shape.n_outputs
        self.real, self.imaginary = (nn.Linear(self.n_kept, n_ahead) for _ in range(2))

    def forward(self, inputs: Inputs) -> Float[Tensor, "B H C O"]:
        """The outputs of each channel from its own past."""
        past, statistics = self.norm(inputs.past_target, inputs.past_observed)
        with torch.autocast(past.device.type, enabled=False):  # there is no transform in bfloat16
            spectrum = torch.fft.rfft(past.float(), dim=1)[:, : self.n_kept].mT
            real, imaginary = spectrum.real, spectrum.imag
            stretched = torch.complex(
                self.real(real) - F.linear(imaginary, self.imaginary.weight),
                self.imaginary(real) + F.linear(imaginary, self.real.weight),
            ).view(*spectrum.shape[:2], self.n_stretched, self.shape.n_outputs)
            window = torch.fft.irfft(stretched, n=self.n_steps, dim=2) * (self.n_steps / self.shape.lookback)
        return self.norm.restore(window[:, :, self.shape.lookback :].transpose(1, 2), statistics)


MODEL = FITS
