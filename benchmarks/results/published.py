"""Published scores on ETTh1 (all channels, scaled), and the recipes behind them as far as their sources print them.

A score stands beside a baseline only if that has been trained by the whole recipe: ``departures`` says where it was not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from search_spaces.base import Config, Value, same

MARKS = {
    "R": "read in the repository named",
    "I": "read off an image of a table there",
    "T": "somebody else's transcription, weaker than the others",
}


@dataclass(frozen=True, kw_only=True)
class Published:
    """One score of one model."""

    mse: float
    mae: float
    lookback: int
    mark: Literal["R", "I", "T"]
    source: str
    epochs: int
    recipe: Config = field(default_factory=dict)
    """Keys besides lookback that a config must have."""

    def departures(self, config: Config, epochs: int) -> dict[str, tuple[Value, Value]]:
        """Key to what a training had and what the recipe has, where they are not the same.

        Args:
            config: All keys, defaults too.
            epochs: That it was trained for.
        """
        recipe: Config = {**_ALL, "data.lookback": self.lookback, **self.recipe, "epochs": self.epochs}
        had: Config = {**config, "epochs": epochs}
        return {key: (had[key], value) for key, value in recipe.items() if not same(had[key], value)}


_ALL: Config = {"train.loss": "mse", "train.optimizer": "adam", "train.batch_size": 32, "train.windows_per_epoch": None}
_HALVED: Config = {"train.learning_rate": 1e-4, "train.schedule": "halve"}
_WIDE: Config = {**_HALVED, "model.n_encoder_layers": 2, "model.n_decoder_layers": 1, "model.feedforward": 2048}
_EIGHT: Config = {"model.n_heads": 8, "model.head_width": 64}
_LTSF, _LIBRARY = "LTSF-Linear: LTSF-Benchmark.md", "transcriptions of tables at lookback 96"

PUBLISHED: dict[tuple[str, str], Published] = {
    ("informer", "etth1-24"): Published(
        mse=0.577, mae=0.549, lookback=48, mark="I", source="Informer2020: img/result_multivariate.png", epochs=6,
        recipe={**_WIDE, **_EIGHT, "model.start_fraction": 1.0, "model.factor": 3, "model.dropout": 0.05},
    ),
    ("informer", "etth1-96"): Published(
        mse=0.865, mae=0.713, lookback=96, mark="R", source=_LTSF, epochs=10,
        recipe={**_WIDE, **_EIGHT, "model.start_fraction": 0.5},
    ),
    ("autoformer", "etth1-96"): Published(
        mse=0.449, mae=0.459, lookback=96, mark="R", source=_LTSF, epochs=10,
        recipe={**_WIDE, "model.start_fraction": 0.5, "model.kernel": 25, "model.factor": 3, "model.dropout": 0.05},
    ),
    ("fedformer", "etth1-96"): Published(
        mse=0.376, mae=0.419, lookback=96, mark="R", source=_LTSF, epochs=10,
        recipe={**_WIDE, **_EIGHT, "model.start_fraction": 0.5, "model.n_modes": 64, "model.selection": "random"},
    ),
    ("dlinear", "etth1-96"): Published(
        mse=0.375, mae=0.399, lookback=336, mark="R", source=_LTSF, epochs=10,
        recipe={"train.learning_rate": 5e-3, "train.schedule": "halve", "model.kernel": 25, "model.individual": False},
    ),
    ("nlinear", "etth1-96"): Published(
        mse=0.374, mae=0.394, lookback=336, mark="R", source=_LTSF, epochs=10,
        recipe={"train.learning_rate": 5e-3, "train.schedule": "halve", "model.individual": False},
    ),
    ("patchtst", "etth1-96"): Published(
        mse=0.375, mae=0.399, lookback=336, mark="I", source="PatchTST: pic/table3.png", epochs=100,
        recipe={
            "train.learning_rate": 1e-4, "train.batch_size": 128, "model.n_heads": 4, "model.head_width": 4,
            "model.n_layers": 3, "model.feedforward": 128, "model.dropout": 0.3, "model.patch_length": 16, "model.stride": 8,
            "model.norm": "revin",
        },
    ),
    ("timesnet", "etth1-96"): Published(
        mse=0.384, mae=0.402, lookback=96, mark="T", source=_LIBRARY, epochs=10,
        recipe={
            **_HALVED, "model.width": 16, "model.feedforward": 32, "model.n_layers": 2, "model.n_periods": 5,
            "model.n_kernels": 6, "model.dropout": 0.1,
        },
    ),
    ("itransformer", "etth1-96"): Published(
        mse=0.386, mae=0.405, lookback=96, mark="T", source=_LIBRARY, epochs=10,
        recipe={
            **_HALVED, "model.n_heads": 8, "model.head_width": 32, "model.feedforward": 256, "model.n_layers": 2,
            "model.dropout": 0.1,
        },
    ),
    ("timemixer", "etth1-96"): Published(
        mse=0.375, mae=0.400, lookback=96, mark="T", source=_LIBRARY, epochs=10,
        recipe={
            "train.learning_rate": 1e-2, "train.batch_size": 128, "model.width": 16, "model.feedforward": 32,
            "model.n_layers": 2, "model.n_scales": 3, "model.dropout": 0.1,
        },
    ),
}  # fmt: skip
