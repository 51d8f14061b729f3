from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from models.base import WindowShape
from models.heads import make_head
from models.heads.draws import Draws
from models.rnn import RNN
from tests.models.batches import make_batch

SHAPE = WindowShape(lookback=4, horizon=5, n_targets=2, n_known=3, lags=(1, 3))
every_cell = pytest.mark.parametrize("cell", ["lstm", "gru"])


def rnn(shape: WindowShape = SHAPE, **arguments: Any) -> RNN:
    torch.manual_seed(0)
    return RNN(shape, **arguments).eval()


@every_cell
def test_the_cells_are_those_asked_for_by_default_two_layers_of_ten(cell: str) -> None:
    recurrent = rnn(cell=cell).network.recurrent
    assert (recurrent.mode.lower(), recurrent.hidden_size, recurrent.num_layers, recurrent.dropout) == (cell, 10, 2, 0.1)


@every_cell
def test_a_channel_is_forecast_from_its_own_past(cell: str) -> None:
    inputs, model = make_batch(SHAPE).inputs, rnn(cell=cell)
    past = inputs.past_target.clone()
    past[:, :, 1] += 1
    moved = model(replace(inputs, past_target=past)) != model(inputs)
    assert moved[:, :, 1, 0].all()
    assert not moved[:, :, 0].any()


@every_cell
def test_a_forecast_is_one_path_on_which_each_forecast_is_the_next_input(cell: str) -> None:
    batch, model, head = make_batch(SHAPE), rnn(cell=cell), make_head("mae")
    with torch.no_grad():
        paths = model.predict(batch.inputs, head, 7, Draws(0, torch.arange(4))).paths
        assert paths.shape == (4, 1, 5, 2)
        losses = model.training_loss(replace(batch, future_target=paths[:, 0]), head)
    torch.testing.assert_close(losses, torch.zeros_like(losses), atol=1e-6, rtol=0.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"cell": "elman"}, "model.cell must be one of lstm, gru, got 'elman'"),
        ({"width": 0}, "model.width must be 1 or more, got 0"),
    ],
)
def test_an_argument_out_of_range_is_refused_in_one_sentence(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        rnn(**arguments)
