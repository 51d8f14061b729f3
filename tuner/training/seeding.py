"""Randomness is keyed, never carried: the state of every generator is a function of a seed and a place in the run."""

from __future__ import annotations

import random

import numpy as np
import torch

from tuner.study.seeds import derive


def seed_everything(seed: int) -> None:
    """Seeds Python's, numpy's and torch's generators on every device; kernels are deterministic where they can be."""
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    torch.set_deterministic_debug_mode("warn")  # use_deterministic_algorithms would load the compiler, seconds that few need


def seed_step(seed: int, step: int, device: torch.device) -> None:
    """Keys the draws of one optimiser step: dropout, sampled keys, sampled paths."""
    key = derive(seed, "step", step)
    torch.default_generator.manual_seed(key)
    if device.type == "cuda":
        torch.cuda.manual_seed(key)
    elif device.type == "mps":
        torch.mps.manual_seed(key)
