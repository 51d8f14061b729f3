from __future__ import annotations

from typing import Any

import pytest
import torch

from models.base import WindowShape
from models.layers.decomposition import moving_average
from models.xlstm_time import XLSTMTime
from tests.models.batches import channels_moved_by, make_batch

SHAPE = WindowShape(lookback=10, horizon=6, n_targets=3)
SMALL: dict[str, Any] = {"n_heads": 2, "head_width": 4, "n_blocks": 2}
every_cell = pytest.mark.parametrize("cell", ["slstm", "mlstm"])


def xlstm_time(shape: WindowShape = SHAPE, **arguments: Any) -> XLSTMTime:
    torch.manual_seed(0)
    return XLSTMTime(shape, **{**SMALL, **arguments}).eval()


@every_cell
def test_along_channels_a_channel_is_forecast_from_its_own_past_and_those_before_it(cell: str) -> None:
    model = xlstm_time(cell=cell)
    assert channels_moved_by(model, 0) == [True, True, True]
    assert channels_moved_by(model, 1) == [False, True, True]
    assert channels_moved_by(model, 2) == [False, False, True]


@every_cell
def test_along_steps_a_channel_is_forecast_from_its_own_past_alone(cell: str) -> None:
    assert channels_moved_by(xlstm_time(cell=cell, along="steps"), 1) == [False, True, False]


def test_along_channels_the_blocks_read_a_linear_forecast_of_trend_and_rest() -> None:
    model, past = xlstm_time(norm="none", kernel=5), make_batch(SHAPE).inputs.past_target
    trend = moving_average(past.mT, 5).mT
    first = sum(layer.weight[0] @ part + layer.bias.mT for layer, part in ((model.trend, trend), (model.rest, past - trend)))
    hidden = model.blocks(model.embedding(first.mT))
    expected = hidden @ model.projection.weight.mT + model.projection.bias
    torch.testing.assert_close(model(make_batch(SHAPE).inputs).squeeze(-1), expected.mT)


def test_along_steps_the_blocks_read_trend_and_rest_of_each_step_and_the_last_one_forecasts() -> None:
    model, past = xlstm_time(norm="none", kernel=5, along="steps"), make_batch(SHAPE).inputs.past_target
    model.batch_norm.running_mean.fill_(0.5)
    model.batch_norm.running_var.fill_(4.0)
    for channel in range(3):
        values = past[..., channel]
        trend = moving_average(values, 5)
        steps = model.embedding(torch.stack([trend, values - trend], -1))
        hidden = model.blocks((steps - 0.5) / 4.00001**0.5)[:, -1]
        expected = hidden @ model.projection.weight.mT + model.projection.bias
        torch.testing.assert_close(model(make_batch(SHAPE).inputs)[:, :, channel, 0], expected)


@every_cell
@pytest.mark.parametrize("along", ["channels", "steps"])
def test_the_gradient_reaches_every_parameter_of_either_cell_along_either(cell: str, along: str) -> None:
    model = xlstm_time(cell=cell, along=along).train()
    torch.autograd.backward(model(make_batch(SHAPE).inputs).square().mean())
    for name, weight in model.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.any() or weight.ndim < 2, name


@every_cell
@pytest.mark.parametrize("along", ["channels", "steps"])
def test_a_window_has_the_same_forecast_alone_and_in_a_batch(cell: str, along: str) -> None:
    model, inputs = xlstm_time(cell=cell, along=along), make_batch(SHAPE).inputs
    torch.testing.assert_close(model(inputs.part(1, 2)), model(inputs)[1:2])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cell": "lstm"}, "model.cell must be one of slstm, mlstm, got 'lstm'"),
        ({"along": "time"}, "model.along must be one of channels, steps, got 'time'"),
        ({"head_width": 1}, "model.head_width must be 2 or more, got 1"),
        ({"n_blocks": 0}, "model.n_blocks must be 1 or more, got 0"),
    ],
)
def test_an_argument_out_of_range_is_refused_in_one_sentence(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        xlstm_time(**arguments)
