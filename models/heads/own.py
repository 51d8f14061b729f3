"""The head of a model that has a likelihood, or another loss, of its own."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from datasets.windows.batch import Batch, Inputs
from models.base import Forecast
from models.heads.base import Head
from models.heads.draws import Draws


class OwnHead(Head):
    """Means that the model overrides ``training_loss`` and ``predict``; ``forward`` puts out one number for each future value,
    a forecast without noise."""

    n_outputs = 1

    def loss(self, outputs: Float[Tensor, "B H C 1"], batch: Batch) -> Float[Tensor, "B H C"]:
        """There is none.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("a model that supports train.loss=own brings its own training_loss")

    def forecast(self, outputs: Float[Tensor, "B H C 1"], inputs: Inputs, n_paths: int, draws: Draws) -> Forecast:
        """There is none.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("a model that supports train.loss=own brings its own predict")
