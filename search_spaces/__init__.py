"""Plug-ins: every module at the top of this package, except ``base``, defines one constant."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from search_spaces.base import Space

_NOT_PLUGINS = {"__init__", "base"}


def names() -> list[str]:
    """What exists, sorted."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in _NOT_PLUGINS)


def get(name: str) -> Space:
    """The plug-in of that name.

    Raises:
        LookupError: no module of that name exists; the message lists those that do.
    """
    if name not in names():
        raise LookupError(f"no search space is named {name!r}; there are: {', '.join(names())}")
    found: Space = importlib.import_module(f"search_spaces.{name}").SPACE
    return found
