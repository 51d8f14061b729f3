from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from models.base import WindowShape
from models.tide import ResidualBlock, TiDE
from tests.models.batches import make_batch

pytestmark = pytest.mark.usefixtures("one_thread")
SHAPE = WindowShape(lookback=6, horizon=4, n_targets=2, n_known=3, n_static=1, cardinalities=(3,))


def test_a_block_is_two_maps_and_a_linear_one_around_them_layer_normed() -> None:
    block, x = ResidualBlock(3, 5, 4, 0.0), torch.randn(2, 3)
    y = (x @ block.inner.weight.T + block.inner.bias).relu() @ block.outer.weight.T + block.outer.bias
    y = y + x @ block.skip.weight.T + block.skip.bias
    expected = (y - y.mean(-1, keepdim=True)) / (y.var(-1, keepdim=True, unbiased=False) + 1e-5).sqrt()
    torch.testing.assert_close(block(x), expected)


def test_the_temporal_decoder_reads_what_is_known_of_its_own_step() -> None:
    """With the dense decoder silent, a step of the horizon that is known to differ moves its own forecast alone."""
    model, inputs = TiDE(SHAPE, width=8, temporal_width=5).eval(), make_batch(SHAPE).inputs
    last = model.decoder[-1]
    for weight in last.parameters():
        torch.nn.init.zeros_(weight)
    moved = inputs.future_known.clone()
    moved[:, 2] += 1
    change = (model(replace(inputs, future_known=moved)) - model(inputs)).abs().sum((0, 2, 3))
    assert change[2] > 0
    assert change[[0, 1, 3]].max() == 0


def test_channels_share_weights_and_do_not_mix() -> None:
    model, inputs = TiDE(SHAPE, width=8, norm="none").eval(), make_batch(SHAPE).inputs
    swapped = replace(inputs, past_target=inputs.past_target.flip(-1))
    torch.testing.assert_close(model(swapped), model(inputs).flip(2))
