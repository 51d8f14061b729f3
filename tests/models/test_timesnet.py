from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from models.base import WindowShape
from models.timesnet import Inception, TimesBlock, TimesNet, strongest_periods
from tests.models.batches import make_batch

SHAPE = WindowShape(lookback=18, horizon=6, n_targets=3, n_known=2)


def folded(layer: Inception, series: Tensor, period: int) -> Tensor:
    """The mean of the library's convolutions over the grid of one (T, n) series."""
    n_rows = -(-len(series) // period)
    grid = F.pad(series, (0, 0, 0, n_rows * period - len(series))).view(1, n_rows, period, -1).permute(0, 3, 1, 2)
    outputs = [F.conv2d(grid, kernel.permute(3, 1, 0, 2), padding=len(kernel) // 2) for kernel in layer.kernels]
    mean = torch.stack(outputs).mean(0) + layer.bias.view(-1, 1, 1)
    return mean.permute(0, 2, 3, 1).flatten(0, 2)[: len(series)]


@pytest.mark.parametrize("n_kernels", [1, 2, 4])
@pytest.mark.parametrize("length", [2, 11, 24])
def test_inception_is_the_mean_of_convolutions_over_the_grid_of_each_period(n_kernels: int, length: int) -> None:
    periods = torch.tensor([length, length // 2 + 1, max(length // 3, 2), 2])
    layer, series = Inception(3, 2, n_kernels), torch.randn(4, length, 3)
    torch.nn.init.normal_(layer.bias)
    expected = torch.stack([folded(layer, s, p) for s, p in zip(series, periods.tolist(), strict=True)])
    torch.testing.assert_close(layer(series, periods), expected, atol=1e-5, rtol=1e-5)


def test_the_strongest_periods_are_those_of_the_waves_in_a_window() -> None:
    time = torch.arange(48)[:, None] * 2 * torch.pi
    daily, half = (time / 24).sin(), (time / 12).cos()
    steps = torch.stack([2 * daily + half + 7, daily + 2 * half]).expand(-1, -1, 4)
    periods, amplitudes = strongest_periods(steps, 2)
    assert periods.tolist() == [[24, 12], [12, 24]]
    torch.testing.assert_close(amplitudes, torch.tensor([[48.0, 24.0], [48.0, 24.0]]))


def test_a_block_adds_the_folds_weighted_by_the_softmax_of_their_amplitudes() -> None:
    block, steps = TimesBlock(3, 5, n_periods=2, n_kernels=2), torch.randn(2, 12, 3)
    periods, amplitudes = strongest_periods(steps, 2)
    for window in range(2):
        expected = steps[window]
        for period, weight in zip(periods[window].tolist(), amplitudes[window].softmax(0), strict=True):
            expected = expected + weight * folded(block.outer, F.gelu(folded(block.inner, steps[window], period)), period)
        torch.testing.assert_close(block(steps)[window], expected, atol=1e-5, rtol=1e-5)


def test_more_periods_than_frequencies_are_all_frequencies() -> None:
    assert strongest_periods(torch.randn(1, 7, 2), 9)[0].sort().values.tolist() == [[2, 3, 7]]


def test_the_calendar_of_the_horizon_matters() -> None:
    inputs, model = make_batch(SHAPE).inputs, TimesNet(SHAPE).eval()
    assert not torch.allclose(model(inputs), model(replace(inputs, future_known=inputs.future_known + 1)))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_periods": 0}, "model.n_periods must be 1 or more, got 0"),
        ({"n_kernels": 0}, "model.n_kernels must be 1 or more, got 0"),
        ({"norm": "batch"}, "model.norm must be one of none, last, revin, got 'batch'"),
    ],
)
def test_an_argument_out_of_range_is_refused_in_one_sentence(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TimesNet(SHAPE, **arguments)
