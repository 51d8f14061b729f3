from __future__ import annotations

import pytest
import torch

from models.base import WindowShape
from models.sparsetsf import SparseTSF
from tests.models.batches import make_batch

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize(("lookback", "horizon"), [(12, 8), (10, 7), (3, 5)])
def test_each_phase_is_mapped_by_itself_by_the_same_weights(lookback: int, horizon: int) -> None:
    shape = WindowShape(lookback=lookback, horizon=horizon, n_targets=2)
    model, inputs = SparseTSF(shape, period=4, norm="none"), make_batch(shape).inputs
    period = min(4, lookback)
    kernel = model.aggregation.weight[0, 0]
    half = len(kernel) // 2
    for channel in range(2):
        past = inputs.past_target[0, :, channel]
        padded = torch.cat([torch.zeros(half), past, torch.zeros(half)])
        series = past + torch.stack([padded[i : i + len(kernel)] @ kernel for i in range(lookback)])
        series = torch.cat([series[:1].repeat(-lookback % period), series])
        expected = torch.zeros(-(-horizon // period) * period)
        for phase in range(period):
            expected[phase::period] = model.map.weight @ series[phase::period]
        torch.testing.assert_close(model(inputs)[0, :, channel, 0], expected[:horizon])


def test_a_hidden_layer_may_lie_between() -> None:
    model = SparseTSF(WindowShape(lookback=12, horizon=8, n_targets=2), period=4, hidden=5)
    assert [tuple(weight.shape) for weight in model.map.parameters()] == [(5, 3), (5,), (2, 5), (2,)]
