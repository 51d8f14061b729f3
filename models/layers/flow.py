"""Normalising flows with a condition: maps between values and standard normal noise whose determinants are known."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import ClassVar, Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from models.heads.draws import Draws
from models.layers.density import StepDensity

_WIDEST = 4.0
"""Bound of the log scale of one block."""


class AffineCoupling(nn.Module):
    """One part of the values stays; the other is scaled and shifted by what a network makes of the first and the condition.

    Real NVP (Dinh, Sohl-Dickstein and Bengio, ICLR 2017), equations 4 and 5: y_a = x_a, y_b = x_b * exp(s(x_a)) + t(x_a), with
    s and t one network, and s within 4 of 0 by a hyperbolic tangent. One value has no other part: it is scaled and shifted by
    the condition alone.

    Args:
        n_values: C.
        n_condition: D.
        width: Of the hidden layers.
        n_hidden: How many of them.
        reverse: The first half changes, not the second.
    """

    def __init__(self, n_values: int, n_condition: int, width: int, n_hidden: int, *, reverse: bool) -> None:
        super().__init__()
        half = n_values // 2
        self.reverse = reverse and n_values > 1
        self.sizes = (half, n_values - half)
        n_kept, n_changed = self.sizes[::-1] if self.reverse else self.sizes
        widths = [n_kept + n_condition, *[width] * n_hidden]
        hidden = [part for sizes in pairwise(widths) for part in (nn.Linear(*sizes), nn.ReLU())]
        self.layers = nn.Sequential(*hidden, nn.Linear(width, 2 * n_changed))

    def forward(
        self, values: Float[Tensor, "*B C"], condition: Float[Tensor, "*B D"], *, inverse: bool = False
    ) -> tuple[Float[Tensor, "*B C"], Float[Tensor, "*B C"]]:
        """Towards noise or, if ``inverse``, back; and the log scale of each value towards noise: log |det| is their sum."""
        kept, changed = self._parts(values)
        log_scales, shifts = _bounded(self.layers(torch.cat([kept, condition], -1)))
        changed = (changed - shifts) * (-log_scales).exp() if inverse else changed * log_scales.exp() + shifts
        return self._joined(kept, changed), self._joined(torch.zeros_like(kept), log_scales)

    def _parts(self, values: Float[Tensor, "*B C"]) -> tuple[Tensor, Tensor]:
        first, second = values[..., : self.sizes[0]], values[..., self.sizes[0] :]
        return (second, first) if self.reverse else (first, second)

    def _joined(self, kept: Tensor, changed: Tensor) -> Float[Tensor, "*B C"]:
        return torch.cat([changed, kept] if self.reverse else [kept, changed], -1)


class MaskedAutoregression(nn.Module):
    """Each value is scaled and shifted by what a network makes of the values before it and the condition.

    Masked autoregressive flow (Papamakarios, Pavlakou and Murray, NeurIPS 2017), equations 3 to 5, with the log scale bounded
    as in ``AffineCoupling``. Masks keep a value from what comes after it: a hidden unit of degree d reads the values up to d,
    and feeds those after it (Germain et al., "MADE", ICML 2015). Towards noise it takes one pass, back one for each value.

    Args:
        n_values: C.
        n_condition: D.
        width: Of the hidden layers.
        n_hidden: How many of them.
        reverse: The order of the values is from the last to the first.
    """

    def __init__(self, n_values: int, n_condition: int, width: int, n_hidden: int, *, reverse: bool) -> None:
        super().__init__()
        self.n_values, self.reverse = n_values, reverse
        # The last value feeds none. A condition is of degree 0: all may read it.
        below = torch.cat([torch.arange(1, n_values), torch.zeros(n_condition, dtype=torch.int64)])
        self.layers = nn.Sequential()
        for _ in range(n_hidden):
            above = torch.arange(width) % n_values
            self.layers.extend([MaskedLinear(above.unsqueeze(1) >= below), nn.ReLU()])
            below = above
        self.layers.append(MaskedLinear(torch.arange(n_values).repeat(2).unsqueeze(1) >= below))

    def forward(
        self, values: Float[Tensor, "*B C"], condition: Float[Tensor, "*B D"], *, inverse: bool = False
    ) -> tuple[Float[Tensor, "*B C"], Float[Tensor, "*B C"]]:
        """Towards noise or, if ``inverse``, back; and the log scale of each value towards noise: log |det| is their sum."""
        given = self._ordered(values)
        if not inverse:
            log_scales, shifts = self._affine(given, condition)
            return self._ordered(given * log_scales.exp() + shifts), self._ordered(log_scales)
        found = given[..., :0]
        for place in range(self.n_values):
            log_scales, shifts = self._affine(F.pad(found, (0, self.n_values - place)), condition)
            fresh = (given - shifts) * (-log_scales).exp()
            found = torch.cat([found, fresh[..., place : place + 1]], -1)
        return self._ordered(found), self._ordered(log_scales)

    def _affine(self, values: Float[Tensor, "*B C"], condition: Float[Tensor, "*B D"]) -> tuple[Tensor, Tensor]:
        return _bounded(self.layers(torch.cat([values[..., :-1], condition], -1)))

    def _ordered(self, values: Float[Tensor, "*B C"]) -> Float[Tensor, "*B C"]:
        return values.flip(-1) if self.reverse else values


class MaskedLinear(nn.Linear):
    """A linear map some of whose weights are 0.

    Args:
        mask: (n_outputs, n_inputs): which are not.
    """

    mask: Tensor

    def __init__(self, mask: Tensor) -> None:
        super().__init__(mask.shape[1], mask.shape[0])
        self.register_buffer("mask", mask.float(), persistent=False)

    def forward(self, values: Float[Tensor, "*B n"]) -> Float[Tensor, "*B m"]:
        """The mapped values."""
        return F.linear(values, self.weight * self.mask, self.bias)


class Flow(StepDensity):
    """Blocks one after the other between values and standard normal noise z: log p(x) = log N(z; 0, I) + log |det dz / dx|.

    The change of variables of Rezende and Mohamed, "Variational Inference with Normalizing Flows", ICML 2015, in the precision
    of the values. Each second block is reversed, so that every value changes given others.

    Args:
        kind: Of the blocks: real_nvp or maf.
        n_values: C.
        n_condition: D.
        width: Of the hidden layers of each block.
        n_hidden: How many of them.
        n_blocks: How many.
    """

    is_likelihood: ClassVar[bool] = True

    def __init__(
        self, kind: Literal["real_nvp", "maf"], n_values: int, n_condition: int, width: int, n_hidden: int, n_blocks: int
    ) -> None:
        super().__init__()
        block = {"real_nvp": AffineCoupling, "maf": MaskedAutoregression}[kind]
        self.n_values = n_values
        self.blocks = nn.ModuleList(
            block(n_values, n_condition, width, n_hidden, reverse=place % 2 == 1) for place in range(n_blocks)
        )

    def to_noise(
        self, values: Float[Tensor, "*B C"], condition: Float[Tensor, "*B D"]
    ) -> tuple[Float[Tensor, "*B C"], Float[Tensor, "*B C"]]:
        """The noise that gives these values, and the log scale of each value: they sum to log |det dz / dx|."""
        with torch.autocast(values.device.type, enabled=False):
            noise, condition = values, condition.to(values.dtype)
            log_scales = torch.zeros_like(noise)
            for block in self.blocks:
                noise, more = block(noise, condition)
                log_scales = log_scales + more
        return noise, log_scales

    def from_noise(self, noise: Float[Tensor, "*B C"], condition: Float[Tensor, "*B D"]) -> Float[Tensor, "*B C"]:
        """The inverse."""
        with torch.autocast(noise.device.type, enabled=False):
            values, condition = noise, condition.to(noise.dtype)
            for block in reversed(self.blocks):
                values, _ = block(values, condition, inverse=True)
        return values

    def losses(self, values: Float[Tensor, "B H C"], condition: Float[Tensor, "B H D"]) -> Float[Tensor, "B H C"]:
        """The shares of the values in -log p, in nats: z^2 / 2 + log(2 pi) / 2 - log scale."""
        noise, log_scales = self.to_noise(values, condition)
        return 0.5 * noise.square() + 0.5 * math.log(2 * math.pi) - log_scales

    def draw(self, condition: Float[Tensor, "B n D"], draws: Draws) -> Float[Tensor, "B n C"]:
        """Noise, spread evenly over the paths, and what it gives."""
        return self.from_noise(torch.special.ndtri(draws.levels(condition.shape[1], self.n_values)), condition)

    def centre(self, condition: Float[Tensor, "B n D"]) -> Float[Tensor, "B n C"]:
        """What noise of 0 gives."""
        return self.from_noise(condition.float().new_zeros(*condition.shape[:-1], self.n_values), condition)


def _bounded(outputs: Float[Tensor, "*B m"]) -> tuple[Tensor, Tensor]:
    """Log scales and shifts."""
    log_scales, shifts = outputs.chunk(2, -1)
    return _WIDEST * torch.tanh(log_scales / _WIDEST), shifts
