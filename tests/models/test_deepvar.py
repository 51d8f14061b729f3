from __future__ import annotations

from dataclasses import replace

import torch

from models.base import WindowShape
from models.deepvar import DeepVAR
from models.heads import make_head
from models.heads.draws import Draws
from tests.models.batches import make_batch

SHAPE = WindowShape(lookback=4, horizon=3, n_targets=2, n_known=3, lags=(1, 2), n_outputs=3)
HEAD = make_head("low_rank_normal", rank=1)


def test_every_channel_moves_the_forecast_of_every_other() -> None:
    torch.manual_seed(0)
    inputs, model = make_batch(SHAPE).inputs, DeepVAR(SHAPE, width=8).eval()
    for channel in range(2):
        past = inputs.past_target.clone()
        past[:, :, channel] += 1
        assert (model(replace(inputs, past_target=past))[..., 0] != model(inputs)[..., 0]).all()


def test_channels_that_share_a_factor_are_drawn_together_at_each_step() -> None:
    model, inputs = DeepVAR(SHAPE, width=8).eval(), make_batch(SHAPE).inputs
    with torch.no_grad():
        model.projection.weight.zero_()
        model.projection.bias.copy_(torch.tensor([0.0, 0.0, 3.0, 0.0, 0.0, 3.0]))  # location, log spread, factor
        paths = model.predict(inputs, HEAD, 2000, Draws(0, torch.arange(4))).paths
    for step in range(3):
        covariance = torch.cov(paths[0, :, step].T)
        torch.testing.assert_close(covariance, torch.tensor([[10.0, 9.0], [9.0, 10.0]]), atol=0.8, rtol=0.0)
    between = torch.cov(paths[0, :, :, 0].T)
    torch.testing.assert_close(between, 10 * torch.eye(3), atol=0.8, rtol=0.0)
