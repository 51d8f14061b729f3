from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from models.base import WindowShape
from models.lstnet import CausalConv, LSTNet
from tests.models.batches import make_batch

pytestmark = pytest.mark.usefixtures("one_thread")
SHAPE = WindowShape(lookback=11, horizon=5, n_targets=3)
SMALL: dict[str, Any] = {"n_filters": 4, "kernel": 3, "width": 6, "skip": 3, "skip_width": 2, "highway": 4}


def lstnet(shape: WindowShape = SHAPE, **arguments: Any) -> LSTNet:
    torch.manual_seed(0)
    return LSTNet(shape, **{**SMALL, **arguments}).eval()


def test_the_default_size_is_the_papers() -> None:
    model = LSTNet(replace(SHAPE, lookback=168))
    assert model.convolution.linear.weight.shape == (100, 6 * 3)
    assert model.projection.in_features == 100 + 24 * 5
    assert model.highway.n_steps == 24


def test_the_convolution_is_the_librarys_over_a_past_with_zeros_before_it() -> None:
    ours, theirs, values = CausalConv(3, 4, 5), nn.Conv1d(3, 4, 5), torch.randn(2, 7, 3)
    with torch.no_grad():
        theirs.weight.copy_(ours.linear.weight.view(4, 3, 5))
        theirs.bias.copy_(ours.linear.bias)  # type: ignore[union-attr]
    torch.testing.assert_close(ours(values), theirs(F.pad(values.mT, (4, 0))).mT, atol=1e-5, rtol=1e-5)


def test_a_skip_state_goes_on_from_the_state_one_period_before() -> None:
    model, filtered = lstnet(), torch.randn(4, 11, 4)
    cell = nn.GRUCell(4, 2)
    cell.load_state_dict({key.removesuffix("_l0"): weight for key, weight in model.periods.state_dict().items()})
    states: dict[int, torch.Tensor] = {}
    for step in range(2, 11):  # three periods of three steps
        states[step] = cell(filtered[:, step], states.get(step - 3, torch.zeros(4, 2)))
    expected = torch.cat([states[step] for step in (8, 9, 10)], -1)
    torch.testing.assert_close(model.last_period(filtered), expected)


def test_a_forecast_is_a_map_of_last_state_and_skip_states_plus_the_highway() -> None:
    model, inputs = lstnet(), make_batch(SHAPE).inputs
    filtered = F.relu(model.convolution(inputs.past_target))
    state = torch.cat([model.steps(filtered)[0][:, -1], model.last_period(filtered)], -1)
    expected = model.projection(state).view(4, 5, 3, 1) + model.highway(inputs.past_target)
    torch.testing.assert_close(model(inputs), expected)


@pytest.mark.parametrize(("lookback", "skip"), [(1, 1), (2, 1), (11, 5), (23, 11), (48, 24)])
def test_a_period_is_at_most_half_of_the_lookback(lookback: int, skip: int) -> None:
    shape = replace(SHAPE, lookback=lookback)
    model = lstnet(shape, skip=24)
    assert model.skip == skip
    assert model(make_batch(shape).inputs).isfinite().all()


def test_an_argument_out_of_range_is_refused_in_one_sentence() -> None:
    with pytest.raises(ValueError, match=r"model.skip must be 1 or more, got 0"):
        LSTNet(SHAPE, skip=0)
