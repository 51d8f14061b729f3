from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from models.base import WindowShape
from models.layers.recurrent import LSTM, AutoregressiveLSTM
from tests.models.batches import make_batch

SHAPE = WindowShape(lookback=4, horizon=5, n_targets=2, n_known=3, n_static=1, lags=(1, 3), cardinalities=(3,))


def test_an_lstm_is_the_librarys() -> None:
    mine, other, steps = LSTM(3, 5, 2), nn.LSTM(3, 5, 2, batch_first=True), torch.randn(4, 6, 3)
    with torch.no_grad():
        for layer in range(2):
            getattr(other, f"weight_ih_l{layer}").copy_(mine.inputs[layer])
            getattr(other, f"weight_hh_l{layer}").copy_(mine.states[layer])
            getattr(other, f"bias_ih_l{layer}").copy_(mine.biases[layer])
            getattr(other, f"bias_hh_l{layer}").zero_()
    outputs, state = mine(steps)
    expected, others = other(steps)
    torch.testing.assert_close(outputs, expected)
    torch.testing.assert_close(state, others)
    torch.testing.assert_close(mine(steps[:, 4:], mine(steps[:, :4])[1])[0], expected[:, 4:])


@pytest.mark.parametrize("joint", [False, True])
def test_true_values_fed_back_give_what_teacher_forcing_gives(joint: bool) -> None:
    batch, network = make_batch(SHAPE), AutoregressiveLSTM(SHAPE, joint=joint, width=6, n_layers=2, dropout=0.0)
    expected, seen = network.taught(batch.inputs, batch.future_target), []

    def draw(hidden: Tensor) -> Tensor:
        seen.append(hidden)
        return batch.future_target[:, None, len(seen) - 1].expand(-1, 3, -1)

    paths = network.sampled(batch.inputs, 3, draw)
    torch.testing.assert_close(paths, batch.future_target.unsqueeze(1).expand(-1, 3, -1, -1))
    torch.testing.assert_close(torch.stack(seen, 2), expected.unsqueeze(1).expand(-1, 3, -1, -1, -1))
