"""All that a trial needs to go on after an epoch, as one safetensors. No pickle, and no state of Lightning."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import safetensors.torch
import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Checkpoint:
    """A trial after an epoch."""

    epoch: int
    best: float
    weights: dict[str, Tensor]
    optimizer: dict[int, dict[str, Tensor]]


def save_checkpoint(weights: Mapping[str, Tensor], optimizer: torch.optim.Optimizer, *, epoch: int, best: float) -> bytes:
    tensors = {f"weights.{k}": v for k, v in weights.items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{k}": v.detach().cpu().contiguous() for k, v in state.items() if isinstance(v, Tensor)}
    return bytes(safetensors.torch.save(tensors, {"epoch": str(epoch), "best": repr(best)}))


def load_checkpoint(last: bytes) -> Checkpoint:
    header = json.loads(last[8 : 8 + int.from_bytes(last[:8], "little")])["__metadata__"]
    weights: dict[str, Tensor] = {}
    optimizer: dict[int, dict[str, Tensor]] = {}
    for key, tensor in safetensors.torch.load(last).items():
        kind, _, rest = key.partition(".")
        if kind == "weights":
            weights[rest] = tensor
        else:
            index, _, name = rest.partition(".")
            optimizer.setdefault(int(index), {})[name] = tensor
    return Checkpoint(int(header["epoch"]), float(header["best"]), weights, optimizer)
