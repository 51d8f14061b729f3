from __future__ import annotations

from typing import Literal

import pytest
import torch
from torch import Tensor, nn

from models.base import WindowShape
from models.layers.recurrent import AutoregressiveRNN, Recurrent
from tests.models.batches import make_batch

pytestmark = pytest.mark.usefixtures("one_thread")
SHAPE = WindowShape(lookback=4, horizon=5, n_targets=2, n_known=3, n_static=1, lags=(1, 3), cardinalities=(3,))


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


@pytest.mark.parametrize("joint", [False, True])
def test_true_values_fed_back_give_what_teacher_forcing_gives(joint: bool) -> None:
    batch, network = make_batch(SHAPE), AutoregressiveRNN("LSTM", SHAPE, joint=joint, width=6, n_layers=2, dropout=0.0)
    expected, seen = network.taught(batch.inputs, batch.future_target), []

    def draw(hidden: Tensor) -> Tensor:
        seen.append(hidden)
        return batch.future_target[:, None, len(seen) - 1].expand(-1, 3, -1)

    paths = network.sampled(batch.inputs, 3, draw)
    torch.testing.assert_close(paths, batch.future_target.unsqueeze(1).expand(-1, 3, -1, -1))
    torch.testing.assert_close(torch.stack(seen, 2), expected.unsqueeze(1).expand(-1, 3, -1, -1, -1))


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("kind", ["GRU", "LSTM"])
def test_compiled_it_gives_the_same_states_and_gradients(kind: Literal["GRU", "LSTM"]) -> None:
    ours, steps = Recurrent(kind, 3, 5, n_layers=2), torch.randn(2, 4, 3)
    torch.compiler.reset()
    compiled = torch.compile(ours, fullgraph=True, backend="aot_eager")
    results = []
    for run in (ours, compiled):
        states, last = run(steps)
        results.append([states, *last, *torch.autograd.grad(states.square().sum(), list(ours.parameters()))])
    for found, expected in zip(*results, strict=True):
        torch.testing.assert_close(found, expected)
