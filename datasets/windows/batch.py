"""What a model is given. ``Inputs`` never holds the future of the targets; ``Batch`` adds it for the loss alone."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """A batch of windows up to their origins: B windows, L lookback, H horizon, C targets. Absent fields have width 0."""

    past_target: Float[Tensor, "B L C"]
    """Scaled: original units are ``past_target * scale + loc``."""
    past_observed: Bool[Tensor, "B L C"]
    past_covariates: Float[Tensor, "B L P"]
    """Known only up to the origin."""
    past_known: Float[Tensor, "B L K"]
    """Calendar features and covariates that are known ahead."""
    future_known: Float[Tensor, "B H K"]
    past_lags: Float[Tensor, "B L C n"]
    """The target so many steps before each step of the past; scaled."""
    future_lags: Float[Tensor, "B H C n"]
    """The same for each step of the horizon; 0 where it would lie after the origin."""
    static: Float[Tensor, "B S"]
    static_categories: Int[Tensor, "B G"]
    loc: Float[Tensor, "B 1 C"]
    scale: Float[Tensor, "B 1 C"]

    def to(self, device: torch.device) -> Inputs:
        """The same batch on another device."""
        return replace(self, **{f.name: getattr(self, f.name).to(device, non_blocking=True) for f in fields(self)})

    def part(self, start: int, end: int) -> Inputs:
        """The windows [start, end)."""
        return replace(self, **{f.name: getattr(self, f.name)[start:end] for f in fields(self)})


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Inputs and what came after them."""

    inputs: Inputs
    future_target: Float[Tensor, "B H C"]
    """Scaled like ``Inputs.past_target``."""
    future_observed: Bool[Tensor, "B H C"]
    """What a loss is about: what was observed, of the steps that count."""

    @property
    def size(self) -> int:
        """B."""
        return self.future_target.shape[0]

    def to(self, device: torch.device) -> Batch:
        """The same batch on another device."""
        return Batch(
            inputs=self.inputs.to(device),
            future_target=self.future_target.to(device, non_blocking=True),
            future_observed=self.future_observed.to(device, non_blocking=True),
        )

    def split(self, n_parts: int) -> list[Batch]:
        """At most so many batches of the same windows, of sizes that differ by at most the rounding."""
        size = -(-self.size // n_parts)
        return [
            Batch(
                inputs=self.inputs.part(start, start + size),
                future_target=self.future_target[start : start + size],
                future_observed=self.future_observed[start : start + size],
            )
            for start in range(0, self.size, size)
        ]
