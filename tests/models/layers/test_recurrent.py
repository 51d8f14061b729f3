from __future__ import annotations

from typing import Literal

import pytest
import torch
from torch import nn

from models.layers.recurrent import Recurrent

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize("kind", ["GRU", "LSTM"])
@pytest.mark.parametrize("n_layers", [1, 3])
def test_the_states_are_those_of_the_librarys_module_at_equal_weights(kind: Literal["GRU", "LSTM"], n_layers: int) -> None:
    ours = Recurrent(kind, 3, 5, n_layers=n_layers)
    theirs = getattr(nn, kind)(3, 5, n_layers, batch_first=True)
    theirs.load_state_dict(ours.state_dict())
    steps = torch.randn(2, 7, 3)
    torch.testing.assert_close(ours(steps)[0], theirs(steps)[0])


def test_between_layers_dropout_acts_while_training_alone() -> None:
    ours, steps = Recurrent("LSTM", 3, 5, n_layers=2, dropout=0.5), torch.randn(2, 7, 3)
    assert not torch.equal(ours(steps)[0], ours(steps)[0])
    assert torch.equal(ours.eval()(steps)[0], ours(steps)[0])


@pytest.mark.parametrize("kind", ["GRU", "LSTM"])
def test_a_state_goes_on_where_it_was(kind: Literal["GRU", "LSTM"]) -> None:
    ours, steps = Recurrent(kind, 3, 5, n_layers=2), torch.randn(2, 7, 3)
    whole, _ = ours(steps)
    _, state = ours(steps[:, :4])
    torch.testing.assert_close(ours(steps[:, 4:], state)[0], whole[:, 4:])
