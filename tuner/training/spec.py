"""What a trial depends on."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from search_spaces.base import Config


@dataclass(frozen=True, kw_only=True)
class TrialSpec:
    """All that a trial depends on, but for the data."""

    model: str
    config: Config
    seed: int
    epochs: int
    metric: str
    accelerator: str = "cpu"
    n_threads: int = 1
    """CPU threads of torch: sums depend on their number."""
    n_paths: int = 20
    """Paths of a forecast that is scored, from heads and models that draw them."""
    n_parts: int = 1
    """Parts in which a batch goes through the model, so that it fits into memory; a step is still that of the whole batch."""

    @property
    def device(self) -> torch.device:
        """Where tensors lie."""
        return torch.device("cuda" if self.accelerator == "gpu" else self.accelerator)
