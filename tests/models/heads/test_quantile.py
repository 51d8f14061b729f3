from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import scoringrules
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.base import WindowShape
from models.heads import make_head
from models.heads.draws import Draws
from models.heads.quantile import QuantileHead
from tests.models.batches import make_batch

BATCH = make_batch(WindowShape(lookback=6, horizon=3, n_targets=2))
LEVELS = (0.1, 0.25, 0.5, 0.9)


def example(levels: tuple[float, ...] = LEVELS) -> tuple[QuantileHead, torch.Tensor]:
    head = QuantileHead(levels)
    return head, 2 * torch.randn(4, 3, 2, head.n_outputs, generator=torch.Generator().manual_seed(1))


def test_the_loss_is_the_mean_of_scoringrules_quantile_scores() -> None:
    head, outputs = example()
    scores = [
        scoringrules.quantile_score(BATCH.future_target.numpy(), quantile.numpy(), level)
        for quantile, level in zip(head.quantiles(outputs).unbind(-1), LEVELS, strict=True)
    ]
    np.testing.assert_allclose(head.loss(outputs, BATCH), np.mean(scores, axis=0), rtol=1e-4, atol=1e-6)


@given(
    levels=st.lists(st.integers(1, 99), min_size=2, max_size=8, unique=True),
    raw=st.lists(st.floats(-100, 100, width=32), min_size=9, max_size=9),
)
def test_quantiles_never_cross(levels: list[int], raw: list[float]) -> None:
    head = QuantileHead(tuple(level / 100 for level in sorted(levels)))
    quantiles = head.quantiles(torch.tensor(raw)[: head.n_outputs].view(1, 1, 1, -1)).flatten()
    assert all(a <= b for a, b in pairwise(quantiles.tolist()))


@pytest.mark.parametrize(("levels", "middle"), [(LEVELS, 2), ((0.1, 0.4, 0.7), 1), ((0.9, 0.95), 0)])
def test_the_location_is_the_quantile_closest_to_the_median(levels: tuple[float, ...], middle: int) -> None:
    head, outputs = example(levels)
    torch.testing.assert_close(head.quantiles(outputs)[..., middle], outputs[..., 0])


def test_paths_lie_on_the_lines_between_quantiles_and_on_those_beyond_the_outermost() -> None:
    head, outputs = example()
    paths = head.forecast(outputs, BATCH.inputs, 40, Draws(0, torch.arange(4))).paths.sort(1).values
    quantiles = head.quantiles(outputs).numpy()
    low = quantiles[..., 0] - 0.1 * (quantiles[..., 1] - quantiles[..., 0]) / 0.15
    high = quantiles[..., -1] + 0.1 * (quantiles[..., -1] - quantiles[..., -2]) / 0.4
    for place in np.ndindex(4, 3, 2):
        expected = np.interp((np.arange(40) + 0.5) / 40, [0, *LEVELS, 1], [low[place], *quantiles[place], high[place]])
        window, step, channel = place
        np.testing.assert_allclose(paths[window, :, step, channel], expected, rtol=1e-3, atol=1e-3)


def test_one_level_is_a_point_forecast() -> None:
    head = make_head("quantile", quantile_levels="0.8")
    outputs = torch.randn(4, 3, 2, 1)
    assert head.n_outputs == 1
    paths = head.forecast(outputs, BATCH.inputs, 9, Draws(0, torch.arange(4))).paths
    assert torch.equal(paths, outputs.squeeze(-1).unsqueeze(1))
    expected = scoringrules.quantile_score(BATCH.future_target.numpy(), outputs[..., 0].numpy(), 0.8)
    np.testing.assert_allclose(head.loss(outputs, BATCH), expected, rtol=1e-4, atol=1e-6)
