"""What a model's outputs mean, by the value of ``train.loss``."""

from __future__ import annotations

from models.heads.base import Head
from models.heads.point import LOSSES, PointHead


def make_head(loss: str) -> Head:
    """The head that minimises ``loss``.

    Raises:
        ValueError: there is none of that name; the message lists those that exist.
    """
    if loss not in LOSSES:
        raise ValueError(f"train.loss must be one of {', '.join(LOSSES)}, got {loss!r}")
    return PointHead(loss)
