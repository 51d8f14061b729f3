"""A function that a worker imports, and the process that sends it does not. Standard library only."""

from __future__ import annotations

import os
import pkgutil
from typing import Any


class ByName:
    """Sent by pickle, it arrives as the function itself, whose module is imported then: while an actor starts, and so in no
    trial's time. Tune unpickles what it sends in the driver too, which has no use for what that module loads (Lightning, 5 s of
    CPU): there it stays what it is.

    Args:
        name: As in ``package.module:function``.
        home: The process in which it stays what it is; None is this one.
    """

    def __init__(self, name: str, home: int | None = None) -> None:
        self.__name__ = name.rpartition(":")[2]
        self._name, self._home = name, os.getpid() if home is None else home

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Imports it, and calls it."""
        return pkgutil.resolve_name(self._name)(*args, **kwargs)

    def __reduce__(self) -> tuple[Any, ...]:
        return _arrived, (self._name, self._home)


def _arrived(name: str, home: int) -> Any:
    return ByName(name, home) if os.getpid() == home else pkgutil.resolve_name(name)
