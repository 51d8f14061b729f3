"""Libraries that only some models need, and only an extra of ours installs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class MissingExtra(ValueError):
    """A model cannot be built on this machine, whatever its config."""


@contextmanager
def from_extra(extra: str) -> Iterator[None]:
    """Around the imports that need the extra, in a constructor: a model's module can be read without them.

    Raises:
        MissingExtra: a library is absent; the message says how to get it.
    """
    try:
        yield
    except ImportError as error:
        raise MissingExtra(
            f"this model needs the extra {extra}, which is not installed ({error}); "
            f"install it: pip install -c constraints.txt -e '.[{extra}]'"
        ) from error
