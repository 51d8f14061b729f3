from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from models.base import WindowShape
from models.dlinear import DLinear
from models.layers.decomposition import moving_average
from tests.models.batches import make_batch

SHAPE = WindowShape(lookback=6, horizon=3, n_targets=2)


def test_the_moving_average_repeats_the_ends() -> None:
    series = torch.tensor([[[1.0, 2.0, 6.0, 3.0]]])
    torch.testing.assert_close(moving_average(series, 3), torch.tensor([[[4 / 3, 3.0, 11 / 3, 4.0]]]))


@pytest.mark.parametrize("kernel", [1, 2, 25, 40])
def test_the_moving_average_is_as_long_as_its_series(kernel: int) -> None:
    assert moving_average(torch.randn(2, 3, 6), kernel).shape == (2, 3, 6)


@pytest.mark.parametrize("individual", [False, True])
def test_the_forecast_is_the_sum_of_two_linear_maps(individual: bool) -> None:
    model, past = DLinear(SHAPE, kernel=3, individual=individual), make_batch(SHAPE).inputs.past_target
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter)
    outputs = model(make_batch(SHAPE).inputs)
    for channel in range(2):
        series, which = past[..., channel], channel if individual else 0
        trend = moving_average(series[:, None], 3)[:, 0]
        expected = trend @ model.trend.weight[which].T + (series - trend) @ model.rest.weight[which].T
        expected = expected + model.trend.bias[which] + model.rest.bias[which]
        torch.testing.assert_close(outputs[:, :, channel, 0], expected, atol=1e-5, rtol=1e-5)


def test_the_first_forecast_is_the_mean_of_the_past_but_for_the_bias() -> None:
    model, inputs = DLinear(SHAPE), make_batch(SHAPE).inputs
    bias = (model.trend.bias + model.rest.bias).view(1, 3, 1)
    expected = inputs.past_target.mean(1, keepdim=True).expand(-1, 3, -1) + bias
    torch.testing.assert_close(model(inputs).squeeze(-1), expected)


@pytest.mark.parametrize("individual", [False, True])
def test_of_several_outputs_only_the_location_starts_at_the_mean_of_the_past(individual: bool) -> None:
    shape = replace(SHAPE, n_outputs=3)
    model, inputs = DLinear(shape, individual=individual), make_batch(shape).inputs
    outputs = model(inputs) - model(replace(inputs, past_target=torch.zeros(4, 6, 2)))
    assert outputs.shape == (4, 3, 2, 3)
    torch.testing.assert_close(outputs[..., 0], inputs.past_target.mean(1, keepdim=True).expand(-1, 3, -1))
    assert not outputs[..., 1:].any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"kernel": 0}, "model.kernel must be 1 or more, got 0"), ({"norm": "x"}, "model.norm must be one of none, last, revin")],
)
def test_an_argument_out_of_range_is_refused_in_one_sentence(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DLinear(SHAPE, **arguments)
