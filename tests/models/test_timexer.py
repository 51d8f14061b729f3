from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from models.base import WindowShape
from models.timexer import TimeXer
from tests.models.batches import make_batch

SHAPE = WindowShape(lookback=12, horizon=5, n_targets=3, n_known=2, n_past_covariates=1)
SMALL: dict[str, Any] = {"patch_length": 4, "n_heads": 2, "head_width": 4, "feedforward": 16}


def timexer(shape: WindowShape = SHAPE, **arguments: Any) -> TimeXer:
    torch.manual_seed(0)
    return TimeXer(shape, **{**SMALL, **arguments}).eval()


def test_a_channel_is_its_patches_with_places_then_its_global_token() -> None:
    model, past = timexer(replace(SHAPE, lookback=10)), torch.randn(2, 10, 3)
    tokens = model.endogenous(past)
    assert tokens.shape == (2, 3, 4, 8)
    first = torch.cat([past[:, :1, 1], past[:, :1, 1], past[:, :2, 1]], 1)
    torch.testing.assert_close(tokens[:, 1, 0], model.patch_embedding(first) + model.positions[0])
    torch.testing.assert_close(tokens[:, 1, 2], model.patch_embedding(past[:, 6:, 1]) + model.positions[2])
    torch.testing.assert_close(tokens[:, 1, 3], model.global_tokens[1].expand(2, -1))


def test_a_layer_attends_within_a_channel_and_from_its_global_token_to_the_exogenous() -> None:
    layer, tokens, exogenous = timexer().encoder[0], torch.randn(2, 3, 4, 8), torch.randn(2, 6, 8)
    expected = torch.empty_like(tokens)
    for channel in range(3):
        own = tokens[:, channel]
        own = layer.norms[0](own + layer.own(own, own))
        crossed = layer.norms[1](own[:, 3:] + layer.cross(own[:, 3:], exogenous))
        own = torch.cat([own[:, :3], crossed], 1)
        expected[:, channel] = layer.norms[2](own + layer.feed(own))
    torch.testing.assert_close(layer(tokens, exogenous), expected, atol=1e-5, rtol=1e-5)


def test_the_exogenous_tokens_are_all_channels_covariates_and_known_features() -> None:
    model, inputs, seen = timexer(norm="none"), make_batch(SHAPE).inputs, []
    model.encoder[0].cross.register_forward_hook(lambda _, arguments, __: seen.append(arguments[1]))
    model(inputs)
    channels = torch.cat([inputs.past_target, inputs.past_covariates], -1)
    expected = model.exogenous_embedding(channels, inputs.past_known, inputs.future_known)
    assert expected.shape == (4, 6, 8)
    torch.testing.assert_close(seen, [expected])


def test_other_channels_reach_a_forecast_through_the_global_token_alone() -> None:
    model, inputs = timexer(), make_batch(SHAPE).inputs
    changed = replace(inputs, past_target=inputs.past_target + torch.randn(4, 12, 3) * torch.tensor([0.0, 1.0, 1.0]))
    assert not torch.allclose(model(changed)[:, :, 0], model(inputs)[:, :, 0])
    torch.nn.init.zeros_(model.head.weight[:, -8:])
    torch.testing.assert_close(model(changed)[:, :, 0], model(inputs)[:, :, 0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"patch_length": 0}, "model.patch_length must be 1 or more, got 0"),
        ({"norm": "batch"}, "model.norm must be one of none, last, revin, got 'batch'"),
    ],
)
def test_an_argument_out_of_range_is_refused_in_one_sentence(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        timexer(**arguments)
