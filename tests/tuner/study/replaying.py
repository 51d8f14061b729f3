"""A space that says itself what is replayed."""

from __future__ import annotations

from search_spaces.base import Ordinal, Space

SPACE = Space("dlinear", {"train.replay_size": Ordinal(2, 4)}, baseline={"train.replay": "exact", "train.replay_size": 4})
