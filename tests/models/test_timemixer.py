from __future__ import annotations

import pytest
import torch

from models.base import WindowShape
from models.layers.decomposition import moving_average
from models.timemixer import MixingBlock, TimeMixer
from tests.models.batches import make_batch

pytestmark = pytest.mark.usefixtures("one_thread")


def test_seasons_are_mixed_from_fine_to_coarse_and_trends_from_coarse_to_fine() -> None:
    block = MixingBlock([6, 3], 4, 5, 3, 0.0)
    fine, coarse = torch.randn(2, 6, 4), torch.randn(2, 3, 4)
    trends = [moving_average(scale.mT, 3).mT for scale in (fine, coarse)]
    seasons = [fine - trends[0], coarse - trends[1]]
    seasons[1] = seasons[1] + block.coarser[0](seasons[0].mT).mT
    trends[0] = trends[0] + block.finer[0](trends[1].mT).mT
    outputs = block([fine, coarse])
    for scale, season, trend, output in zip((fine, coarse), seasons, trends, outputs, strict=True):
        torch.testing.assert_close(output, scale + block.feed(season + trend))


def test_each_scale_holds_means_of_the_last_steps_of_the_finer_one() -> None:
    shape = WindowShape(lookback=7, horizon=2, n_targets=1)
    model, inputs = TimeMixer(shape, n_scales=2, norm="none").eval(), make_batch(shape).inputs
    seen: list[torch.Tensor] = []
    model.embedding.register_forward_hook(lambda module, arguments, output: seen.append(arguments[0]))
    model(inputs)
    past = inputs.past_target[:, :, 0]
    pairs = torch.stack([past[:, 1:3].mean(1), past[:, 3:5].mean(1), past[:, 5:7].mean(1)], 1)
    torch.testing.assert_close(seen[1][:, :, 0], pairs)
    torch.testing.assert_close(seen[2][:, :, 0], pairs[:, 1:].mean(1, keepdim=True))


def test_forecasts_of_all_scales_are_added_up() -> None:
    shape = WindowShape(lookback=8, horizon=2, n_targets=1)
    model, inputs = TimeMixer(shape, n_scales=2, norm="none").eval(), make_batch(shape).inputs
    whole = model(inputs) - model.projection.bias
    parts = []
    for kept in range(3):
        alone = TimeMixer(shape, n_scales=2, norm="none").eval()
        alone.load_state_dict(model.state_dict())
        for scale, predictor in enumerate(alone.predictors):
            if scale != kept:
                torch.nn.init.zeros_(predictor.weight)
                torch.nn.init.zeros_(predictor.bias)
        parts.append(alone(inputs) - alone.projection.bias)
    torch.testing.assert_close(sum(parts), whole)
