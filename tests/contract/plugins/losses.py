"""A space in which the loss itself is searched."""

from __future__ import annotations

from search_spaces.base import Choice, Space

SPACE = Space("dlinear", {"train.loss": Choice("mse", "mae"), "train.windows_per_epoch": 256})
