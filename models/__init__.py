"""Plug-ins: every module at the top of this package, except ``base``, defines one constant."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models.base import Forecaster

_NOT_PLUGINS = {"__init__", "base"}


def names() -> list[str]:
    """What exists, sorted."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in _NOT_PLUGINS)


def get(name: str) -> type[Forecaster]:
    """The plug-in of that name.

    Raises:
        LookupError: no module of that name exists; the message lists those that do.
    """
    if name not in names():
        raise LookupError(f"no model is named {name!r}; there are: {', '.join(names())}")
    found: type[Forecaster] = importlib.import_module(f"models.{name}").MODEL
    return found
