from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from models.base import WindowShape
from models.tpa_lstm import TPALSTM, PatternAttention
from tests.models.batches import make_batch

pytestmark = pytest.mark.usefixtures("one_thread")
SHAPE = WindowShape(lookback=7, horizon=5, n_targets=3)
SMALL: dict[str, Any] = {"width": 6, "n_layers": 2, "n_filters": 4, "highway": 4}


def tpa_lstm(shape: WindowShape = SHAPE, **arguments: Any) -> TPALSTM:
    torch.manual_seed(0)
    return TPALSTM(shape, **{**SMALL, **arguments}).eval()


def test_the_default_size_is_that_of_the_authors_code() -> None:
    model = TPALSTM(SHAPE)
    assert (model.lstm.hidden_size, model.lstm.num_layers) == (338, 3)
    assert model.attention.filters.weight.shape == (32, 6)


def test_pattern_attention_is_the_papers_row_by_row() -> None:
    attention, before, state = PatternAttention(6, 3, 4), torch.randn(2, 6, 3), torch.randn(2, 3)
    for window in range(2):
        context = torch.zeros(4)
        for row in range(3):
            pattern = torch.stack([(before[window, :, row] * attention.filters.weight[j]).sum() for j in range(4)])
            context = context + torch.sigmoid(pattern @ attention.score.weight @ state[window]) * pattern
        expected = attention.state.weight @ state[window] + attention.context.weight @ context
        torch.testing.assert_close(attention(before, state)[window], expected)


def test_the_last_state_attends_to_the_states_before_it_and_the_highway_is_added() -> None:
    model, past = tpa_lstm(), make_batch(SHAPE).inputs.past_target
    states, _ = model.lstm(past)
    attended = model.attention(states[:, :6], states[:, 6])
    expected = model.projection(attended).view(4, 5, 3, 1) + model.highway(past)
    torch.testing.assert_close(model(make_batch(SHAPE).inputs), expected)


def test_a_lookback_of_one_step_attends_to_that_step() -> None:
    shape = replace(SHAPE, lookback=1)
    model, inputs = tpa_lstm(shape), make_batch(shape).inputs
    torch.autograd.backward(model(inputs).sum())
    assert model.attention.filters.weight.grad is not None
    assert model.attention.filters.weight.grad.any()


def test_an_argument_out_of_range_is_refused_in_one_sentence() -> None:
    with pytest.raises(ValueError, match=r"model.n_filters must be 1 or more, got 0"):
        TPALSTM(SHAPE, n_filters=0)
