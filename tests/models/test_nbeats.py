from __future__ import annotations

from typing import Any

import pytest
import torch

from models.base import WindowShape
from models.layers.doubly_residual import harmonics, polynomials
from models.nbeats import NBEATS
from tests.models.batches import channels_moved_by

SHAPE = WindowShape(lookback=10, horizon=6, n_targets=2)
SMALL: dict[str, Any] = {"n_stacks": 2, "width": 8, "trend_width": 8, "seasonality_width": 8}


def nbeats(shape: WindowShape = SHAPE, **arguments: Any) -> NBEATS:
    torch.manual_seed(0)
    return NBEATS(shape, **{**SMALL, **arguments})


def test_the_default_is_the_papers_generic_network() -> None:
    model = NBEATS(SHAPE)
    assert len(model.stacks.blocks) == 30
    assert [tuple(w.shape) for w in model.stacks.blocks[0].network.parameters() if w.ndim == 2] == [
        (512, 10),
        *[(512, 512)] * 3,
    ]


def test_the_interpretable_network_is_a_stack_over_polynomials_then_one_over_waves() -> None:
    model = nbeats(basis="interpretable", n_blocks=3)
    trend, seasonality = model.stacks.blocks
    for block, make in ((trend, lambda n: polynomials(n, 2)), (seasonality, harmonics)):
        assert torch.equal(block.backcast.series, make(10))
        assert torch.equal(block.forecast.series, make(6))
    assert model.stacks.n_passes == 3


@pytest.mark.parametrize("basis", ["generic", "interpretable"])
def test_a_channel_is_forecast_from_its_own_past_alone(basis: str) -> None:
    assert channels_moved_by(nbeats(basis=basis), 1) == [False, True]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"basis": "wavelet"}, "model.basis must be one of generic, interpretable, got 'wavelet'"),
        ({"n_stacks": 0}, "model.n_stacks must be 1 or more, got 0"),
        ({"degree": -1}, "model.degree must be 0 or more, got -1"),
    ],
)
def test_an_argument_out_of_range_is_refused_in_one_sentence(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        nbeats(**arguments)
