"""The ranges of the ``train.*`` keys that most spaces reuse."""

from __future__ import annotations

from search_spaces.base import Choice, Domain, Float, Ordinal

TRAINING: dict[str, Domain] = {
    "train.learning_rate": Float(1e-5, 1e-2, log=True),
    "train.batch_size": Ordinal(16, 32, 64, 128),
    "train.optimizer": Choice("adam", "adamw", "sgd"),
    "train.momentum": Ordinal(0.0, 0.9, 0.95, 0.99, when={"train.optimizer": "sgd"}),
    "train.weight_decay": Float(1e-5, 1e-1, log=True, when={"train.optimizer": "adamw"}),
    "train.schedule": Choice("constant", "halve", "cosine"),
}
