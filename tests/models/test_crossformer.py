from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from models.base import WindowShape
from models.crossformer import Crossformer, RouterAttention, SegmentMerging
from models.layers.attention import FullAttention, MultiHeadAttention
from tests.models.batches import make_batch

SHAPE = WindowShape(lookback=12, horizon=5, n_targets=3)
SMALL: dict[str, Any] = {"segment_length": 2, "n_heads": 2, "head_width": 4, "n_routers": 2, "feedforward": 16}


def crossformer(shape: WindowShape = SHAPE, **arguments: Any) -> Crossformer:
    torch.manual_seed(0)
    return Crossformer(shape, **{**SMALL, **arguments}).eval()


def attention() -> MultiHeadAttention:
    return MultiHeadAttention(FullAttention(), 8, 2, 4)


def test_the_first_value_is_repeated_until_the_segments_fit() -> None:
    model, past = crossformer(segment_length=5), torch.randn(2, 12, 3)
    segment = torch.cat([past[:, :1, 2].expand(-1, 3), past[:, :2, 2]], 1)
    expected = model.embedding_norm(model.embedding(segment) + model.places[2, 0])
    torch.testing.assert_close(model.embed(past)[:, 2, 0], expected)


def test_channels_read_from_the_routers_of_their_segment_what_those_gathered_from_them() -> None:
    routers = RouterAttention(attention(), attention(), n_segments=3, n_routers=2, width=8)
    channels = torch.randn(2, 3, 5, 8)  # windows, segments, channels
    outputs = routers(channels.flatten(0, 1), channels.flatten(0, 1)).view_as(channels)
    for segment in range(3):
        now = channels[:, segment]
        gathered = routers.gather(routers.routers[segment].expand(2, -1, -1), now)
        torch.testing.assert_close(outputs[:, segment], routers.spread(now, gathered), atol=1e-5, rtol=1e-5)


def test_the_two_stages_are_time_within_a_channel_then_channels_within_a_segment() -> None:
    stages, tokens = crossformer().encoder[0], torch.randn(2, 3, 6, 8)
    steps = torch.stack([stages.time(tokens[:, channel]) for channel in range(3)], 1)
    router = stages.channels.attention
    whole = router.routers
    for segment in range(6):
        router.routers = torch.nn.Parameter(whole[segment : segment + 1])
        expected = stages.channels(steps[:, :, segment])
        router.routers = whole
        torch.testing.assert_close(stages(tokens)[:, :, segment], expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("n_segments", "left", "right"), [(4, 2, 3), (3, 2, 2), (1, 0, 0)])
def test_merging_maps_two_neighbours_to_one_and_a_last_segment_alone_with_itself(
    n_segments: int, left: int, right: int
) -> None:
    merging, tokens = SegmentMerging(8), torch.randn(2, 3, n_segments, 8)
    merged = merging(tokens)
    assert merged.shape[2] == SegmentMerging.segments(n_segments)
    pair = torch.cat([tokens[:, :, left], tokens[:, :, right]], -1)
    torch.testing.assert_close(merged[:, :, -1], merging.linear(merging.norm(pair)))


def test_the_forecast_is_the_sum_of_a_map_of_every_decoder_layer_each_reading_its_scale() -> None:
    model, inputs = crossformer(), make_batch(SHAPE).inputs
    scales = [model.embed(inputs.past_target)]
    for block in model.encoder:
        scales.append(block(scales[-1]))
    assert [scale.shape[2] for scale in scales] == [6, 6, 3, 2]
    decoded, expected = model.future_places.expand(4, -1, -1, -1), torch.zeros(4, 3, 6)
    for layer, scale in enumerate(scales):
        own = model.decoder[layer](decoded)
        decoded = torch.stack([model.cross[layer](own[:, c], memory=scale[:, c]) for c in range(3)], 1)
        expected = expected + model.projections[layer](decoded).flatten(2)
    torch.testing.assert_close(model(inputs), expected[:, :, :5].mT.unsqueeze(-1), atol=1e-5, rtol=1e-5)


def test_of_several_outputs_each_is_cut_to_the_horizon() -> None:
    shape = replace(SHAPE, n_outputs=2)
    model, inputs = crossformer(shape), make_batch(shape).inputs
    for head in model.projections:
        torch.nn.init.zeros_(head.weight)
        torch.nn.init.zeros_(head.bias)
    model.projections[0].bias.data = torch.tensor([1.0, 2.0, 3.0, 4.0])  # of two steps, two outputs each
    expected = torch.tensor([[1.0, 2.0], [3.0, 4.0]]).repeat(3, 1)[:5]
    torch.testing.assert_close(model(inputs), expected[:, None].expand(4, -1, 3, -1))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_routers": 0}, "model.n_routers must be 1 or more, got 0"),
        ({"norm": "batch"}, "model.norm must be one of none, last, revin, got 'batch'"),
    ],
)
def test_an_argument_out_of_range_is_refused_in_one_sentence(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        crossformer(**arguments)
