from __future__ import annotations

import torch
from torch import nn

from models.layers.doubly_residual import Basis, BasisBlock, DoublyResidual, perceptron


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
