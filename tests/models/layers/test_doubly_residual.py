from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from models.layers.doubly_residual import Basis, BasisBlock, DoublyResidual, harmonics, perceptron, polynomials


def block(backcast: bool = True, n_outputs: int = 2) -> BasisBlock:
    return BasisBlock(perceptron(5, 8, 2), 8, nn.Linear(3, 5) if backcast else None, Basis(torch.randn(4, 6)), n_outputs)


def test_each_block_sees_what_those_before_it_left_and_forecasts_add_up() -> None:
    first, second, last = block(), block(), block(backcast=False)
    past = torch.randn(7, 5)
    backcast, forecast = first(past)
    left = past - backcast
    backcast, more = second(left)
    expected = forecast + more + last(left - backcast)[1]
    torch.testing.assert_close(DoublyResidual([first, second, last])(past), expected)


def test_a_block_of_several_passes_explains_several_times() -> None:
    shared, past = block(), torch.randn(7, 5)
    backcast, forecast = shared(past)
    torch.testing.assert_close(DoublyResidual([shared], n_passes=2)(past), forecast + shared(past - backcast)[1])


def test_every_output_has_coefficients_of_its_own_over_one_basis() -> None:
    layer, past = block(), torch.randn(7, 5)
    first, second = layer.future(layer.network(past)).chunk(2, -1)
    assert isinstance(layer.forecast, Basis)
    series = layer.forecast.series
    torch.testing.assert_close(layer(past)[1], torch.stack([first @ series, second @ series], -1))


def test_a_perceptron_ends_with_its_last_relu() -> None:
    assert [type(layer) for layer in perceptron(5, 8, 2)] == [nn.Linear, nn.ReLU, nn.Linear, nn.ReLU]


def test_trend_bases_are_powers_of_time() -> None:
    torch.testing.assert_close(polynomials(4, 2), torch.tensor([[1, 1, 1, 1], [0, 0.25, 0.5, 0.75], [0, 0.0625, 0.25, 0.5625]]))


@pytest.mark.parametrize(("length", "n"), [(1, 1), (2, 1), (6, 5), (7, 5)])
def test_seasonal_bases_are_a_constant_cosines_and_sines(length: int, n: int) -> None:
    expected = [[1.0] * length]
    for wave in (math.cos, math.sin):
        expected += [
            [wave(2 * math.pi * i * t / length) for t in range(length)] for i in range(1, math.floor(length / 2 - 1) + 1)
        ]
    assert len(expected) == n
    torch.testing.assert_close(harmonics(length), torch.tensor(expected))
