"""Plug-ins: every module at the top of this package, except ``base`` and ``config``, defines one constant."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datasets.base import Dataset

_NOT_PLUGINS = {"__init__", "base", "config"}


def names() -> list[str]:
    """What exists, sorted."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in _NOT_PLUGINS)


def get(name: str) -> Dataset:
    """The plug-in of that name.

    Raises:
        LookupError: no module of that name exists; the message lists those that do.
    """
    if name not in names():
        raise LookupError(f"no data set is named {name!r}; there are: {', '.join(names())}")
    found: Dataset = importlib.import_module(f"datasets.{name}").DATASET
    return found
