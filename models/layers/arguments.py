"""Checks of the ``model.*`` arguments, with one wording for all models."""

from __future__ import annotations


def at_least(lowest: int, **sizes: int) -> None:
    """Each of ``sizes`` is ``lowest`` or more.

    Raises:
        ValueError: one is not.
    """
    for name, size in sizes.items():
        if size < lowest:
            raise ValueError(f"model.{name} must be {lowest} or more, got {size}")


def one_of(allowed: tuple[str, ...], **choices: str) -> None:
    """Each of ``choices`` is an allowed word.

    Raises:
        ValueError: one is not.
    """
    for name, choice in choices.items():
        if choice not in allowed:
            raise ValueError(f"model.{name} must be one of {', '.join(allowed)}, got {choice!r}")


def fraction(**shares: float) -> None:
    """Each of ``shares`` lies in [0, 1].

    Raises:
        ValueError: one does not.
    """
    for name, share in shares.items():
        if not 0 <= share <= 1:
            raise ValueError(f"model.{name} must lie in [0, 1], got {share}")
