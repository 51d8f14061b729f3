from __future__ import annotations

import pytest
import torch

from models.base import WindowShape
from models.tsmixer import MixerBlock, TSMixer
from tests.models.batches import make_batch

pytestmark = pytest.mark.usefixtures("one_thread")
SHAPE = WindowShape(lookback=8, horizon=4, n_targets=3)


def test_a_block_adds_a_map_along_time_and_two_along_channels() -> None:
    block, x = MixerBlock(8, 3, 5, 0.0), torch.randn(2, 8, 3)
    normed = (x - x.mean((1, 2), keepdim=True)) / (x.var((1, 2), keepdim=True, unbiased=False) + 1e-5).sqrt()
    time = torch.einsum("ts,bsc->btc", block.time.weight, normed) + block.time.bias[:, None]
    y = x + time.relu()
    normed = (y - y.mean((1, 2), keepdim=True)) / (y.var((1, 2), keepdim=True, unbiased=False) + 1e-5).sqrt()
    hidden = torch.einsum("hc,btc->bth", block.features.inner.weight, normed) + block.features.inner.bias
    expected = y + torch.einsum("ch,bth->btc", block.features.outer.weight, hidden.relu()) + block.features.outer.bias
    torch.testing.assert_close(block(x), expected)


def test_channels_are_mixed_in_blocks_alone() -> None:
    model, batch = TSMixer(SHAPE, n_layers=1, norm="none").eval(), make_batch(SHAPE)
    torch.nn.init.zeros_(model.blocks[0].time.weight)
    torch.nn.init.zeros_(model.blocks[0].time.bias)
    torch.nn.init.zeros_(model.blocks[0].features.outer.weight)
    torch.nn.init.zeros_(model.blocks[0].features.outer.bias)
    expected = torch.einsum("hl,blc->bhc", model.projection.weight, batch.inputs.past_target) + model.projection.bias[:, None]
    torch.testing.assert_close(model(batch.inputs)[..., 0], expected)
