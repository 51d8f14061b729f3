from __future__ import annotations

import torch

from models.base import WindowShape
from models.nlinear import NLinear
from tests.models.batches import make_batch


def test_the_forecast_is_a_map_of_the_past_less_its_last_value() -> None:
    shape = WindowShape(lookback=6, horizon=3, n_targets=2)
    inputs = make_batch(shape).inputs
    for individual in (False, True):
        model = NLinear(shape, individual=individual)
        torch.nn.init.normal_(model.linear.weight)
        last = inputs.past_target[:, -1]
        for channel in range(2):
            which = channel if individual else 0
            series = inputs.past_target[:, :, channel] - last[:, channel, None]
            expected = series @ model.linear.weight[which].T + model.linear.bias[which] + last[:, channel, None]
            torch.testing.assert_close(model(inputs)[:, :, channel, 0], expected)
