"""The shapes in annotations are checked at every call and at the birth of every dataclass, in this process."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import jaxtyping
import pytest
from beartype import beartype

SHAPED = ("models", "datasets.windows.batch", "datasets.windows.loaders", "tuner.training.metrics", "tuner.training.network")
"""Modules with shapes in annotations, and packages with such modules."""


def checked(function: Callable[..., Any]) -> Callable[..., Any]:
    """The hook's typechecker, where a shape is named: mypy checks the other types, and constructors their values."""
    return beartype(function) if "jaxtyping." in str(function.__annotations__) else function


jaxtyping.install_import_hook(SHAPED, f"{__name__}.checked")  # before any of them is imported
os.environ.setdefault("OMP_NUM_THREADS", "1")  # one process a core is running already


@pytest.fixture
def unchecked() -> Iterator[None]:
    """Shapes go unchecked, for torch.compile cannot see through the checks."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """One thread of torch, whose generator starts from 0."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(before)
