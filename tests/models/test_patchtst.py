from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from models.base import WindowShape
from models.patchtst import PatchTST, TokenBatchNorm
from tests.models.batches import make_batch

SHAPE = WindowShape(lookback=12, horizon=5, n_targets=3)
SMALL: dict[str, Any] = {"patch_length": 4, "stride": 2, "n_heads": 2, "head_width": 4, "feedforward": 16}


def patchtst(shape: WindowShape = SHAPE, **arguments: Any) -> PatchTST:
    torch.manual_seed(0)
    return PatchTST(shape, **{**SMALL, **arguments}).eval()


@pytest.mark.parametrize(("lookback", "n_patches"), [(336, 42), (512, 64), (1, 1), (16, 2), (30, 3)])
def test_the_number_of_patches_is_the_papers(lookback: int, n_patches: int) -> None:
    model = PatchTST(replace(SHAPE, lookback=lookback))
    assert model.positions.shape == (n_patches, 128)


def test_the_forecast_is_embedded_patches_through_attention_batch_norm_and_a_flatten_head() -> None:
    model, inputs = patchtst(norm="none", n_layers=1), make_batch(SHAPE).inputs
    model.train()(inputs)  # moves the batch norms' statistics
    model.eval()
    layer, expected = model.encoder[0], torch.empty(4, 5, 3, 1)
    for channel in range(3):
        series = inputs.past_target[:, :, channel]
        series = torch.cat([series, series[:, -1:], series[:, -1:]], 1)
        tokens = torch.stack([model.embedding(series[:, 2 * i : 2 * i + 4]) + model.positions[i] for i in range(6)], 1)
        for i, add in enumerate((lambda x: layer.attention(x, x), layer.feed)):
            tokens = tokens + add(tokens)
            norm = layer.norms[i]
            tokens = (tokens - norm.running_mean) / (norm.running_var + norm.eps).sqrt() * norm.weight + norm.bias
        expected[:, :, channel, 0] = model.head(tokens.reshape(4, -1))
    torch.testing.assert_close(model(inputs), expected, atol=1e-5, rtol=1e-5)


def test_a_channel_does_not_see_the_others() -> None:
    model, inputs = patchtst(), make_batch(SHAPE).inputs
    past = inputs.past_target.clone()
    past[:, :, 1] += torch.randn(4, 12)
    moved = (model(replace(inputs, past_target=past)) - model(inputs)).abs().amax((0, 1, 3)) > 1e-6
    assert moved.tolist() == [False, True, False]


def test_the_batch_norm_standardises_each_feature_over_all_tokens() -> None:
    tokens = torch.randn(5, 7, 3) * 4 + 2
    normed = TokenBatchNorm(3)(tokens)
    torch.testing.assert_close(normed.mean((0, 1)), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(normed.var((0, 1), unbiased=False), torch.ones(3), atol=1e-4, rtol=0)


def test_no_bias_lies_before_a_batch_norm() -> None:
    layer = patchtst().encoder[0]
    biased = {name for name, module in layer.named_modules() if isinstance(module, nn.Linear) and module.bias is not None}
    assert biased == {"attention.query", "attention.key", "feed.inner"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"patch_length": 0}, "model.patch_length must be 1 or more, got 0"),
        ({"norm": "batch"}, "model.norm must be one of none, last, revin, got 'batch'"),
    ],
)
def test_an_argument_out_of_range_is_refused_in_one_sentence(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        patchtst(**arguments)
