"""What is searched besides under ``--protocol continual``, in every space: what a stage hears of the stages before it."""

from __future__ import annotations

from search_spaces.base import Choice, Domain, Float, Ordinal

CONTINUAL: dict[str, Domain] = {
    "train.replay": Choice("none", "random", "exact", "experience"),
    "train.replay_size": Ordinal(32, 64, 128, 256, 512, 1024, when={"train.replay": ("random", "experience")}),
    "train.new_stage_weight": Float(0.1, 0.9, when={"train.replay": ("random", "exact", "experience")}),
}
