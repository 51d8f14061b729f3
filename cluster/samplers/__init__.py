"""What is tried next: every module here, except ``base`` and ``optuna_base``, defines one sampler."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cluster.samplers.base import Sampler

_NOT_SAMPLERS = {"__init__", "base", "optuna_base"}


def names() -> list[str]:
    """What exists, sorted."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in _NOT_SAMPLERS)


def get(name: str) -> type[Sampler]:
    """The sampler of that name; its constructor takes a space and a seed.

    Raises:
        LookupError: there is none.
    """
    if name not in names():
        raise LookupError(f"no sampler is named {name!r}; there are: {', '.join(names())}")
    found: type[Sampler] = importlib.import_module(f"cluster.samplers.{name}").SAMPLER
    return found
