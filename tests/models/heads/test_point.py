from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from models.base import WindowShape
from models.heads import make_head
from models.heads.draws import Draws
from tests.models.batches import make_batch

BATCH = make_batch(WindowShape(lookback=6, horizon=3, n_targets=2))


@pytest.mark.parametrize(("name", "library"), [("mse", F.mse_loss), ("mae", F.l1_loss), ("huber", F.huber_loss)])
def test_the_mean_of_a_loss_is_the_librarys(name: str, library: object) -> None:
    outputs = 3 * torch.randn(4, 3, 2, 1)
    losses = make_head(name).loss(outputs, BATCH)
    assert losses.shape == (4, 3, 2)
    torch.testing.assert_close(losses.mean(), library(outputs[..., 0], BATCH.future_target))  # type: ignore[operator]


def test_a_point_forecast_is_one_path() -> None:
    outputs = torch.randn(4, 3, 2, 1)
    forecast = make_head("mse").forecast(outputs, BATCH.inputs, 100, Draws(0, torch.arange(4)))
    assert forecast.paths.shape == (4, 1, 3, 2)
    assert torch.equal(forecast.mean, outputs[..., 0])
    assert torch.equal(forecast.median, outputs[..., 0])


def test_an_unknown_loss_is_refused() -> None:
    with pytest.raises(ValueError, match=r"train.loss must be one of mse, mae, huber, quantile, .*, got 'mape'"):
        make_head("mape")
