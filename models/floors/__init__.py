"""Floors: forecasters that need no tuning. Every module here, except ``base``, defines one ``FLOOR``."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.floors.base import Floor


def names() -> list[str]:
    """What exists, sorted."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in {"__init__", "base"})


def get(name: str) -> type[Floor]:
    """The floor of that name; every argument of its constructor has a default.

    Raises:
        LookupError: no module of that name exists; the message lists those that do.
    """
    if name not in names():
        raise LookupError(f"no floor is named {name!r}; there are: {', '.join(names())}")
    found: type[Floor] = importlib.import_module(f"models.floors.{name}").FLOOR
    return found
