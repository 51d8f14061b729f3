"""Point forecasts: one number for each future value."""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from datasets.windows.batch import Batch, Inputs
from models.base import Forecast
from models.heads.base import Head
from models.heads.draws import Draws

LOSSES: dict[str, Callable[..., Tensor]] = {"mse": F.mse_loss, "mae": F.l1_loss, "huber": F.huber_loss}


class PointHead(Head):
    """The one output is the forecast, in the units of ``Inputs.past_target``.

    Args:
        loss: mse: the squared error, so that the forecast estimates the mean; mae: the absolute error, for the median;
            huber: squared up to an error of 1, absolute beyond.
    """

    n_outputs = 1

    def __init__(self, loss: str) -> None:
        super().__init__()
        self._error = LOSSES[loss]

    def loss(self, outputs: Float[Tensor, "B H C 1"], batch: Batch) -> Float[Tensor, "B H C"]:
        """The error of each value, in scaled units."""
        return self._error(outputs.squeeze(-1), batch.future_target, reduction="none")

    def forecast(self, outputs: Float[Tensor, "B H C 1"], inputs: Inputs, n_paths: int, draws: Draws) -> Forecast:
        """One path, whatever ``n_paths`` says: nothing is drawn."""
        return Forecast(paths=outputs.squeeze(-1).unsqueeze(1))
