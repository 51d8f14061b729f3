"""All that a trial needs to go on after an epoch, as one safetensors. No pickle, and no state of Lightning.

Randomness is keyed by the step and schedules are functions of it, so weights, the optimiser's moments and the number of the
epoch are all there is. What the optimiser is set to follows from the config.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import safetensors.torch
import torch
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A trial after an epoch."""

    epoch: int
    """That it has trained; 1 after the first."""
    best: float
    """The lowest cost so far."""
    weights: Mapping[str, Tensor]
    """Of all stages: ``<stage>.model.*``, ``<stage>.head.*``."""
    moments: Mapping[int, Mapping[str, Tensor]]
    """What the optimiser remembers of each weight, in its order."""
    kept: Mapping[str, Tensor] = field(default_factory=dict)
    """Origins of windows that are replayed, by the stage that they are of."""

    def to_bytes(self) -> bytes:
        """One safetensors: ``weights``, ``moments.<n>`` and ``kept``, epoch and best in its header; always the same bytes."""
        tensors = {f"weights.{key}": tensor for key, tensor in self.weights.items()}
        tensors |= {f"kept.{stage}": origins for stage, origins in self.kept.items()}
        for number, state in self.moments.items():
            tensors |= {f"moments.{number}.{key}": tensor for key, tensor in state.items()}
        return bytes(safetensors.torch.save(tensors, {"trial": json.dumps([self.epoch, repr(self.best)])}))

    @classmethod
    def from_bytes(cls, content: bytes) -> Checkpoint:
        """What ``to_bytes`` made."""
        length = int.from_bytes(content[:8], "little")
        epoch, best = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["trial"])
        weights: dict[str, Tensor] = {}
        moments: dict[int, dict[str, Tensor]] = {}
        kept: dict[str, Tensor] = {}
        for name, tensor in safetensors.torch.load(content).items():
            part, _, key = name.partition(".")
            if part == "weights":
                weights[key] = tensor
            elif part == "kept":
                kept[key] = tensor
            else:
                number, _, key = key.partition(".")
                moments.setdefault(int(number), {})[key] = tensor
        return cls(epoch=epoch, best=float(best), weights=weights, moments=moments, kept=kept)


def moments_of(optimizer: torch.optim.Optimizer) -> dict[int, dict[str, Tensor]]:
    """What an optimiser remembers, as plain tensors; its next step may change them."""
    return {
        number: {key: plain(value) for key, value in state.items() if isinstance(value, Tensor)}
        for number, state in optimizer.state_dict()["state"].items()
    }


def set_moments(optimizer: torch.optim.Optimizer, moments: Mapping[int, Mapping[str, Tensor]]) -> None:
    """Lets an optimiser remember what ``moments_of`` gave; it moves them to the device of its weights.

    Raises:
        ValueError: they are those of another optimiser.
    """
    own = {"momentum_buffer"} if isinstance(optimizer, torch.optim.SGD) else {"step", "exp_avg", "exp_avg_sq"}
    for values in moments.values():
        if set(values) != own:
            kind, found = type(optimizer).__name__, ", ".join(sorted(values))
            raise ValueError(f"a checkpoint must be of the same optimiser, got {found} for {kind}; go on with its own config")
    state = {number: dict(values) for number, values in moments.items()}
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def plain(tensor: Tensor) -> Tensor:
    """As safetensors takes it."""
    return tensor.detach().cpu().contiguous()
