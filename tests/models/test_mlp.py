from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from models.base import WindowShape
from models.mlp import MLP
from tests.models.batches import make_batch

pytestmark = pytest.mark.usefixtures("one_thread")
SHAPE = WindowShape(lookback=6, horizon=4, n_targets=2, n_known=3, n_static=1, n_past_covariates=2)


def test_it_is_the_librarys_layers_over_the_flat_window() -> None:
    model, inputs = MLP(SHAPE, width=8, dropout=0.3, norm="none").eval(), make_batch(SHAPE).inputs
    layers = nn.Sequential(nn.Linear(6 + 12 + 18 + 12 + 1, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 4))
    for layer, weight in zip(layers.parameters(), model.layers.parameters(), strict=True):
        layer.data = weight.data
    shared = [inputs.past_covariates, inputs.past_known, inputs.future_known, inputs.static]
    for channel in range(2):
        flat = [part.flatten(1) for part in (inputs.past_target[:, :, channel], *shared)]
        torch.testing.assert_close(model(inputs)[:, :, channel, 0], layers(torch.cat(flat, 1)))


@pytest.mark.parametrize("field", ["past_covariates", "past_known", "future_known", "static", "static_categories"])
def test_what_is_given_besides_the_past_matters(field: str) -> None:
    shape = replace(SHAPE, cardinalities=(2,))
    model, inputs = MLP(shape).eval(), make_batch(shape).inputs
    changed = replace(inputs, **{field: 1 - getattr(inputs, field)})
    assert (model(changed) - model(inputs)).abs().amax((1, 2, 3)).min() > 0


def test_channels_share_weights_and_do_not_mix() -> None:
    model, inputs = MLP(SHAPE, norm="none").eval(), make_batch(SHAPE).inputs
    swapped = replace(inputs, past_target=inputs.past_target.flip(-1))
    torch.testing.assert_close(model(swapped), model(inputs).flip(2))


def test_dropout_follows_every_hidden_layer_and_not_the_last_map() -> None:
    names = [type(layer).__name__ for layer in MLP(SHAPE, n_layers=3).layers]
    assert names == ["Linear", "ReLU", "Dropout"] * 3 + ["Linear"]


def test_the_outputs_of_a_head_lie_side_by_side() -> None:
    """The last map alone, with a bias that counts: value h of output o is 2 h + o."""
    model = MLP(replace(SHAPE, n_outputs=2), norm="none").eval()
    last = model.layers[-1]
    nn.init.zeros_(last.weight)
    last.bias.data = torch.arange(8.0)
    assert torch.equal(model(make_batch(SHAPE).inputs)[0, :, 1], torch.arange(8.0).view(4, 2))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"width": 0}, "model.width must be 1 or more, got 0"),
        ({"n_layers": 0}, "model.n_layers must be 1 or more, got 0"),
        ({"dropout": 1.0}, r"model.dropout must lie in \[0, 1\), got 1.0"),
        ({"norm": "batch"}, "model.norm must be one of none, last, revin, got 'batch'"),
    ],
)
def test_an_argument_out_of_range_is_refused_in_one_sentence(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MLP(SHAPE, **arguments)
