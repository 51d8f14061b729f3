from __future__ import annotations

from typing import Any

import pytest
import torch

from models.base import WindowShape
from models.layers.dropout import Dropout
from models.layers.kan import KANLayer
from models.nbeats_kan import NBEATSKAN
from tests.models.batches import channels_moved_by

SHAPE = WindowShape(lookback=10, horizon=6, n_targets=2)
every_basis = pytest.mark.parametrize("basis", ["interpretable", "generic"])


def nbeats_kan(**arguments: Any) -> NBEATSKAN:
    torch.manual_seed(0)
    return NBEATSKAN(SHAPE, **{"width": 8, "trend_width": 8, "seasonality_width": 8, **arguments}).eval()


def test_the_default_is_the_network_of_pytorch_forecasting() -> None:
    model = NBEATSKAN(SHAPE)
    trend, seasonality = model.stacks.blocks
    assert model.stacks.n_passes == 3
    for block, width in ((trend, 32), (seasonality, 512)):
        layers = [*(layer for layer in block.network if isinstance(layer, KANLayer)), block.past, block.future]
        assert [tuple(layer.weight.shape) for layer in layers[:3]] == [(width, 10), (width, width), (width, width)]
        assert {len(layer.centres) for layer in layers} == {5 + 3}
        assert {round(layer.spacing * 5, 6) for layer in layers} == {2}
        assert [type(layer) for layer in block.network] == [KANLayer, Dropout, KANLayer, Dropout, KANLayer]
        assert {layer.p for layer in block.network if isinstance(layer, Dropout)} == {0.1}
    assert (trend.past.weight.shape, trend.future.weight.shape) == ((3, 32), (3, 32))


@every_basis
def test_within_a_block_every_edge_is_a_function(basis: str) -> None:
    for block in nbeats_kan(basis=basis, n_blocks=1).stacks.blocks:
        weighed = [layer for layer in (*block.network, block.past, block.future) if layer and list(layer.parameters())]
        assert {type(layer) for layer in weighed} == {KANLayer}


@every_basis
def test_a_channel_is_forecast_from_its_own_past_alone(basis: str) -> None:
    assert channels_moved_by(nbeats_kan(basis=basis), 1) == [False, True]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"basis": "wavelet"}, "model.basis must be one of interpretable, generic, got 'wavelet'"),
        ({"spline_degree": 0}, "model.spline_degree must be 1 or more, got 0"),
        ({"reach": 0.0}, r"model.reach must be above 0, got 0\.0"),
    ],
)
def test_an_argument_out_of_range_is_refused_in_one_sentence(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        nbeats_kan(**arguments)
