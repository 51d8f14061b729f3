"""The contract of a model: windows in, O numbers for each future value out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from datasets.windows.batch import Batch, Inputs

if TYPE_CHECKING:
    from models.heads.base import Head


@dataclass(frozen=True, kw_only=True)
class WindowShape:
    """The sizes that a model is built for; the letters are those of ``Inputs``."""

    lookback: int
    horizon: int
    n_targets: int
    n_outputs: int = 1
    """O, set by the head."""
    n_past_covariates: int = 0
    n_known: int = 0
    n_static: int = 0
    n_lags: int = 0
    static_cardinalities: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Forecast:
    """Paths of the future, scaled like the inputs. A point forecast is one path."""

    paths: Float[Tensor, "B n H C"]

    @property
    def mean(self) -> Float[Tensor, "B H C"]:
        """The mean over paths: the best answer under squared error."""
        return self.paths.mean(1)

    @property
    def median(self) -> Float[Tensor, "B H C"]:
        """The median over paths: the best answer under absolute error."""
        return self.paths[:, 0] if self.paths.shape[1] == 1 else self.paths.median(1).values


class Forecaster(nn.Module, ABC):
    """A model with weights. After ``shape``, a constructor takes keyword-only, annotated arguments with defaults.

    The constructor is the model's schema: its arguments are the ``model.*`` keys, and defaults live there and nowhere else.
    A module that draws numbers does so from torch's default generators while training, which training keys by (trial seed,
    step), and from a generator of its own with a fixed seed while evaluating.
    """

    heads: ClassVar[tuple[str, ...]] = ("mse", "mae", "huber")
    """The values of ``train.loss`` that the model supports."""

    def __init__(self, shape: WindowShape) -> None:
        super().__init__()
        self.shape = shape

    @abstractmethod
    def forward(self, inputs: Inputs) -> Float[Tensor, "B H C O"]:
        """The outputs that a head reads, from the past alone."""

    def training_loss(self, batch: Batch, head: Head, generator: torch.Generator | None) -> Float[Tensor, "B H C"]:
        """The loss of each future value. Override it for teacher forcing, auxiliary losses or an own likelihood."""
        return head.loss(self(batch.inputs), batch)

    def predict(self, inputs: Inputs, head: Head, n_paths: int, generator: torch.Generator | None) -> Forecast:
        """The forecast. Override it in a model that samples by itself."""
        return head.forecast(self(inputs), inputs, n_paths, generator)
