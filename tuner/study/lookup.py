"""Names to spaces, models and data sets, each by name or from outside this repository."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import models
import search_spaces
from search_spaces.base import Space
from tuner.study.schema import did_you_mean

if TYPE_CHECKING:
    from models.base import Forecaster


def find_space(name: str) -> Space:
    """The space of that name, or the ``SPACE`` of the module at that dotted path.

    Raises:
        LookupError: there is none.
    """
    if name in search_spaces.names():
        return search_spaces.get(name)
    if "." not in name:
        raise LookupError(did_you_mean(name, search_spaces.names(), "search space"))
    space: Space = _constant(name, "SPACE")
    if not isinstance(space, Space):
        raise LookupError(f"{name}.SPACE must be a search_spaces.base.Space, it is a {type(space).__name__}")
    return space


def model_class(name: str) -> type[Forecaster]:
    """The model of that name, or the ``MODEL`` of the module at that dotted path. Imports torch."""
    return models.get(name) if name in models.names() else _constant(name, "MODEL")


def _constant(path: str, name: str) -> Any:
    try:
        return getattr(importlib.import_module(path), name)
    except ModuleNotFoundError as error:
        raise LookupError(f"no module {path} can be imported from here: {error}") from None
    except AttributeError:
        raise LookupError(f"the module {path} must define {name}") from None
