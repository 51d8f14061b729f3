from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from models.base import WindowShape
from models.xlstm_time import XLSTMTime
from tests.models.batches import make_batch

SHAPE = WindowShape(lookback=10, horizon=6, n_targets=3)
SMALL: dict[str, Any] = {"width": 8, "n_heads": 2, "n_blocks": 2}
every_cell = pytest.mark.parametrize("cell", ["slstm", "mlstm"])


def xlstm_time(shape: WindowShape = SHAPE, **arguments: Any) -> XLSTMTime:
    torch.manual_seed(0)
    return XLSTMTime(shape, **{**SMALL, **arguments}).eval()


def moved(model: XLSTMTime, channel: int) -> list[bool]:
    """Which forecasts move with the past of a channel."""
    inputs = make_batch(SHAPE).inputs
    past = inputs.past_target.clone()
    past[:, :5, channel] += 1
    return ((model(replace(inputs, past_target=past)) - model(inputs)).abs().amax((0, 1, 3)) > 0).tolist()


@every_cell
def test_along_channels_a_channel_is_forecast_from_its_own_past_and_those_before_it(cell: str) -> None:
    model = xlstm_time(cell=cell)
    assert moved(model, 0) == [True, True, True]
    assert moved(model, 1) == [False, True, True]
    assert moved(model, 2) == [False, False, True]


@every_cell
def test_along_steps_a_channel_is_forecast_from_its_own_past_alone(cell: str) -> None:
    assert moved(xlstm_time(cell=cell, along="steps"), 1) == [False, True, False]


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
        ({"n_heads": 3}, "model.width must be a multiple of model.n_heads, got 8 and 3"),
        ({"cell": "mlstm", "width": 9, "n_heads": 3}, "model.width must be even under mlstm, got 9"),
        ({"n_blocks": 0}, "model.n_blocks must be 1 or more, got 0"),
    ],
)
def test_an_argument_out_of_range_is_refused_in_one_sentence(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        xlstm_time(**arguments)
