from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from models.base import WindowShape
from models.itransformer import ITransformer
from models.layers.attention import MultiHeadAttention
from models.layers.transformer import EncoderLayer, FeedForward
from tests.models.batches import make_batch

SHAPE = WindowShape(lookback=12, horizon=5, n_targets=3, n_known=2)
SMALL: dict[str, Any] = {"n_heads": 2, "head_width": 4, "feedforward": 16}


def itransformer(shape: WindowShape = SHAPE, **arguments: Any) -> ITransformer:
    torch.manual_seed(0)
    return ITransformer(shape, **{**SMALL, **arguments}).eval()


def librarys_layer(ours: EncoderLayer) -> nn.TransformerEncoderLayer:
    """The library's post-norm layer at the weights of ``ours``."""
    attention, feed = ours.attention, ours.feed
    assert isinstance(attention, MultiHeadAttention)
    assert isinstance(feed, FeedForward)
    theirs = nn.TransformerEncoderLayer(8, 2, 16, activation="gelu", batch_first=True).eval()
    with torch.no_grad():
        parts = (attention.query, attention.key, attention.value)
        theirs.self_attn.in_proj_weight.copy_(torch.cat([part.weight for part in parts]))
        theirs.self_attn.in_proj_bias.copy_(torch.cat([part.bias for part in parts]))
    pairs = (
        (theirs.self_attn.out_proj, attention.output),
        (theirs.linear1, feed.inner),
        (theirs.linear2, feed.outer),
        (theirs.norm1, ours.norms[0]),
        (theirs.norm2, ours.norms[1]),
    )
    for module, source in pairs:
        module.load_state_dict(source.state_dict())
    return theirs


def test_the_default_size_is_the_papers() -> None:
    model = ITransformer(SHAPE)
    assert (model.projection.in_features, len(model.encoder) - 1) == (512, 2)


def test_whole_channels_and_known_features_are_the_tokens_of_the_librarys_encoder() -> None:
    model, inputs = itransformer(norm="none"), make_batch(SHAPE).inputs
    known = model.embedding.known
    assert known is not None
    targets = [model.embedding.values(inputs.past_target[:, :, channel]) for channel in range(3)]
    features = [known(torch.cat([inputs.past_known[..., k], inputs.future_known[..., k]], 1)) for k in range(2)]
    tokens = torch.stack([*targets, *features], 1)
    *layers, norm = model.encoder
    for layer in layers:
        assert isinstance(layer, EncoderLayer)
        tokens = librarys_layer(layer)(tokens)
    expected = model.projection(norm(tokens)[:, :3]).mT.unsqueeze(-1)
    torch.testing.assert_close(model(inputs), expected, atol=1e-5, rtol=1e-5)


def test_channels_in_another_order_have_their_forecasts_in_that_order() -> None:
    model, inputs, order = itransformer(), make_batch(SHAPE).inputs, [2, 0, 1]
    moved = replace(inputs, past_target=inputs.past_target[..., order], past_observed=inputs.past_observed[..., order])
    torch.testing.assert_close(model(moved), model(inputs)[:, :, order], atol=1e-5, rtol=1e-5)


def test_covariates_share_the_map_of_the_targets() -> None:
    shape = replace(SHAPE, n_targets=1, n_past_covariates=2)
    one, three = itransformer(shape, norm="none"), itransformer(norm="none")
    three.load_state_dict(one.state_dict())
    inputs = make_batch(SHAPE).inputs
    split = replace(
        make_batch(replace(SHAPE, n_targets=1)).inputs,
        past_target=inputs.past_target[..., :1],
        past_covariates=inputs.past_target[..., 1:],
        past_known=inputs.past_known,
        future_known=inputs.future_known,
    )
    torch.testing.assert_close(one(split), three(inputs)[:, :, :1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_layers": 0}, "model.n_layers must be 1 or more, got 0"),
        ({"activation": "elu"}, "model.activation must be one of gelu, relu, got 'elu'"),
        ({"norm": "batch"}, "model.norm must be one of none, last, revin, got 'batch'"),
    ],
)
def test_an_argument_out_of_range_is_refused_in_one_sentence(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        itransformer(**arguments)
