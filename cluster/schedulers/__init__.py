"""Who goes on: every module here, except ``base``, defines one scheduler."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cluster.schedulers.base import Scheduler


def names() -> list[str]:
    """What exists, sorted."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in ("__init__", "base"))


def get(name: str) -> type[Scheduler]:
    """The scheduler of that name; its constructor takes ``epochs``, the budget of a trial.

    Raises:
        LookupError: there is none.
    """
    if name not in names():
        raise LookupError(f"no scheduler is named {name!r}; there are: {', '.join(names())}")
    found: type[Scheduler] = importlib.import_module(f"cluster.schedulers.{name}").SCHEDULER
    return found
