from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from models.base import WindowShape
from models.segrnn import SegRNN
from tests.models.batches import make_batch

pytestmark = pytest.mark.usefixtures("one_thread")
SHAPE = WindowShape(lookback=10, horizon=7, n_targets=2)


def test_the_forecast_is_that_of_the_librarys_gru_segment_by_segment() -> None:
    model = SegRNN(SHAPE, segment=4, width=6, dropout=0.0).eval()
    inputs = make_batch(SHAPE).inputs
    gru = nn.GRU(6, 6, batch_first=True)
    gru.load_state_dict(model.recurrent.state_dict())
    for channel in range(2):
        series = inputs.past_target[:, :, channel] - inputs.past_target[:, -1:, channel]
        series = torch.cat([series[:, :1], series[:, :1], series], 1)
        vectors = torch.stack([model.embedding(series[:, start : start + 4]).relu() for start in (0, 4, 8)], 1)
        _, last = gru(vectors)
        steps = []
        for place in range(2):
            query = torch.cat([model.places[place], model.channels[channel]]).expand(4, 1, -1)
            steps.append(model.projection(gru(query, last)[0][:, 0]))
        expected = torch.cat(steps, 1)[:, :7] + inputs.past_target[:, -1:, channel]
        torch.testing.assert_close(model(inputs)[:, :, channel, 0], expected)


def test_a_channel_does_not_move_the_forecast_of_another() -> None:
    model, inputs = SegRNN(SHAPE, segment=4, width=6).eval(), make_batch(SHAPE).inputs
    moved = inputs.past_target.clone()
    moved[:, :, 1] += torch.randn(4, 10)
    before, after = model(inputs), model(replace(inputs, past_target=moved))
    torch.testing.assert_close(after[:, :, 0], before[:, :, 0])
    assert not torch.allclose(after[:, :, 1], before[:, :, 1])


def test_an_odd_width_is_refused() -> None:
    with pytest.raises(ValueError, match=r"model.width must be even, .* got 7"):
        SegRNN(SHAPE, width=7)
