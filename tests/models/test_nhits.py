from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from models.base import WindowShape
from models.nhits import MaxPool, NHiTS, lines
from tests.models.batches import channels_moved_by

SHAPE = WindowShape(lookback=10, horizon=6, n_targets=2)


@pytest.mark.parametrize(("length", "size"), [(10, 1), (10, 4), (10, 5), (3, 8)])
def test_pooling_is_the_librarys(length: int, size: int) -> None:
    past = torch.randn(2, 3, length)
    pooled = MaxPool(size)(past)
    torch.testing.assert_close(pooled, nn.MaxPool1d(size, size, ceil_mode=True)(past))
    assert pooled.shape[-1] == MaxPool.steps(length, size)


def test_coefficients_lie_on_lines_from_the_first_step_to_the_last() -> None:
    series = torch.tensor([1.0, 4.0, 0.0]) @ lines(7, 3, "linear")
    torch.testing.assert_close(series, torch.tensor([1.0, 2.0, 3.0, 4.0, 8 / 3, 4 / 3, 0.0]))


def test_nearest_interpolation_is_a_staircase_and_cubic_goes_through_its_coefficients() -> None:
    coefficients = torch.tensor([1.0, 4.0, 0.0])
    torch.testing.assert_close(coefficients @ lines(6, 2, "nearest"), torch.tensor([1.0, 1.0, 4.0, 4.0, 0.0, 0.0]))
    torch.testing.assert_close((coefficients @ lines(7, 3, "cubic"))[::3], coefficients)


@pytest.mark.parametrize("interpolation", ["linear", "nearest", "cubic"])
def test_one_coefficient_a_step_is_no_interpolation(interpolation: str) -> None:
    assert torch.equal(lines(5, 1, interpolation), torch.eye(5))
    assert torch.equal(lines(5, 99, interpolation), torch.ones(1, 5))


def test_each_stack_reads_and_forecasts_at_its_own_rate() -> None:
    model = NHiTS(replace(SHAPE, lookback=96, horizon=48), pools="8,4,1", strides="24,6,1", n_blocks=2)
    sizes = [
        (block.network[1][0].in_features, block.forecast.in_features, block.backcast and block.backcast.in_features)
        for block in model.stacks.blocks
    ]
    assert sizes == [(12, 2, 4), (12, 2, 4), (24, 8, 16), (24, 8, 16), (96, 48, 96), (96, 48, None)]


def test_a_channel_is_forecast_from_its_own_past_alone() -> None:
    assert channels_moved_by(NHiTS(SHAPE), 1) == [False, True]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"pools": "8,x"}, "model.pools must be whole numbers above 0 with commas between, such as 8,4,1, got '8,x'"),
        ({"strides": "4,0"}, "model.strides must be whole numbers above 0 .*, got '4,0'"),
        ({"pools": "8,4"}, "model.pools and model.strides must have one number for each stack, got 8,4 and 24,12,1"),
        ({"interpolation": "spline"}, "model.interpolation must be one of nearest, linear, cubic, got 'spline'"),
    ],
)
def test_an_argument_out_of_range_is_refused_in_one_sentence(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        NHiTS(SHAPE, **arguments)
