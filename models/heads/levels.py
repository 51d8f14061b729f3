"""The levels of the quantile head as text. Standard library only: a config is checked without torch."""

from __future__ import annotations

from itertools import pairwise


def parse_levels(text: str) -> tuple[float, ...]:
    """``0.1,0.5,0.9`` as numbers.

    Raises:
        ValueError: they do not rise within (0, 1).
    """
    try:
        levels = tuple(float(part) for part in text.split(","))
    except ValueError:
        levels = ()
    if not levels or not all(a < b for a, b in pairwise((0.0, *levels, 1.0))):
        raise ValueError(
            f"train.quantile_levels must be numbers that rise within (0, 1), got {text!r}; write them as in 0.1,0.5,0.9"
        )
    return levels
