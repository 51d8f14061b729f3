from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from models.layers.embedding import ChannelEmbedding, CircularConv, WindowEmbedding, sinusoidal_positions


def test_the_convolution_equals_the_library_with_circular_padding() -> None:
    conv, values = CircularConv(3, 5), torch.randn(2, 7, 3)
    weight = conv.linear.weight.view(5, 3, 3).transpose(1, 2)  # out, tap, in -> out, in, tap
    expected = F.conv1d(F.pad(values.mT, (1, 1), mode="circular"), weight, conv.linear.bias).mT
    torch.testing.assert_close(conv(values), expected)


def test_positions_are_sines_at_even_places_and_cosines_at_odd_ones() -> None:
    positions = sinusoidal_positions(9, 6)
    expected = [math.sin(7), math.cos(7), math.sin(7 / 10000 ** (2 / 6)), math.cos(7 / 10000 ** (2 / 6))]
    torch.testing.assert_close(positions[7, :4], torch.tensor(expected))
    assert sinusoidal_positions(9, 5).shape == (9, 5)


def test_the_embedding_is_a_sum_of_values_places_and_calendar() -> None:
    embedding = WindowEmbedding(3, 2, 7, 4, 0.0)
    values, known = torch.randn(2, 7, 3), torch.randn(2, 7, 2)
    assert embedding.known is not None
    expected = embedding.values(values) + sinusoidal_positions(7, 4) + embedding.known(known)
    torch.testing.assert_close(embedding(values, known), expected)


def test_without_a_calendar_there_are_no_weights_for_one() -> None:
    embedding = WindowEmbedding(3, 0, 7, 4, 0.0)
    assert embedding.known is None
    assert embedding(torch.randn(2, 7, 3), torch.zeros(2, 7, 0)).shape == (2, 7, 4)


def test_a_channel_is_mapped_whole_and_a_known_feature_with_its_future() -> None:
    embedding = ChannelEmbedding(7, 4, 2, 5, 0.0)
    values, past, future = torch.randn(2, 7, 3), torch.randn(2, 7, 2), torch.randn(2, 4, 2)
    tokens = embedding(values, past, future)
    assert embedding.known is not None
    torch.testing.assert_close(tokens[:, 1], embedding.values(values[:, :, 1]))
    torch.testing.assert_close(tokens[:, 4], embedding.known(torch.cat([past[..., 1], future[..., 1]], 1)))


def test_without_known_features_channels_are_the_only_tokens() -> None:
    embedding = ChannelEmbedding(7, 4, 0, 5, 0.0)
    assert embedding.known is None
    assert embedding(torch.randn(2, 7, 3), torch.zeros(2, 7, 0), torch.zeros(2, 4, 0)).shape == (2, 3, 5)
