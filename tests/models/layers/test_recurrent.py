from __future__ import annotations

import pytest
import torch
from torch import nn

from models.layers.recurrent import Lstm


def test_the_layer_is_the_librarys() -> None:
    layer, library = Lstm(3, 5), nn.LSTM(3, 5, batch_first=True)
    library.load_state_dict({f"{name}_l0": weight for name, weight in layer.state_dict().items()})
    steps, hidden, cell = torch.randn(2, 7, 3), torch.randn(2, 5), torch.randn(2, 5)
    expected, states = library(steps, (hidden[None], cell[None]))
    for found, wanted in zip(layer(steps, hidden, cell), (expected, *(state[0] for state in states)), strict=True):
        torch.testing.assert_close(found, wanted)


@pytest.mark.usefixtures("unchecked")
def test_compiled_it_gives_the_same_steps_and_states() -> None:
    layer, inputs = Lstm(3, 5), (torch.randn(2, 4, 3), torch.randn(2, 5), torch.randn(2, 5))
    torch.compiler.reset()
    compiled = torch.compile(layer, fullgraph=True, backend="aot_eager")
    for found, expected in zip(compiled(*inputs), layer(*inputs), strict=True):
        torch.testing.assert_close(found, expected)
    torch.autograd.backward(compiled(*inputs)[0].sum())


def test_under_autocast_it_computes_in_float32() -> None:
    layer, state = Lstm(3, 5), torch.zeros(2, 5)
    with torch.autocast("cpu", torch.bfloat16):
        assert layer(torch.randn(2, 7, 3, dtype=torch.bfloat16), state, state)[0].dtype == torch.float32
