"""The optimiser of a config, and how its learning rate goes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import nn

from tuner.study.train_config import TrainConfig


def make_optimizer(config: TrainConfig, groups: Iterable[Iterable[nn.Parameter]]) -> torch.optim.Optimizer:
    """The optimiser of a config over groups of weights."""
    weights: list[dict[str, Any]] = [{"params": list(group)} for group in groups]
    rate, decay = config.learning_rate, config.weight_decay
    match config.optimizer:
        case "adam":
            return torch.optim.Adam(weights, lr=rate, weight_decay=decay)
        case "adamw":
            return torch.optim.AdamW(weights, lr=rate, weight_decay=decay)
        case "sgd":
            return torch.optim.SGD(weights, lr=rate, momentum=config.momentum, weight_decay=decay)


def rate_factor(config: TrainConfig, steps_per_epoch: int) -> Callable[[int], float]:
    """Step to the factor on the learning rate."""
    total = config.schedule_epochs * steps_per_epoch

    def cosine(progress: float) -> float:
        return 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))

    def one_cycle(progress: float) -> float:
        warm, start = 0.3, 1 / 25
        if progress < warm:
            return start + (1 - start) * (1 - cosine(progress / warm))
        return cosine((progress - warm) / (1 - warm))

    match config.schedule:
        case "constant":
            return lambda step: 1.0
        case "halve":
            return lambda step: 0.5 ** (step // steps_per_epoch)
        case "cosine":
            return lambda step: cosine(step / total)
        case "one_cycle":
            return lambda step: one_cycle(step / total)
