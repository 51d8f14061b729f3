from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from scipy.interpolate import BSpline

from models.layers.kan import KANLayer


@pytest.mark.parametrize("degree", [1, 2, 3, 4])
def test_the_splines_are_those_of_scipy_on_the_extended_grid(degree: int) -> None:
    layer = KANLayer(2, 3, n_intervals=5, degree=degree, reach=2.0)
    knots = np.linspace(-2 - degree * 0.8, 2 + degree * 0.8, 6 + 2 * degree)
    points = torch.linspace(-6, 6, 41, dtype=torch.float64).view(-1, 1) * torch.tensor([1.0, 0.7])
    expected = [
        np.nan_to_num(BSpline.basis_element(knots[i : i + degree + 2], extrapolate=False)(points.numpy()))
        for i in range(5 + degree)
    ]
    torch.testing.assert_close(layer.double().splines(points), torch.from_numpy(np.stack(expected, -1)))


def test_an_output_is_the_sum_over_inputs_of_silu_and_splines_by_their_weights() -> None:
    layer, inputs = KANLayer(4, 2), torch.randn(6, 3, 4)
    coefficients = layer.coefficients.view(2, 4, -1)
    edges = layer.weight * F.silu(inputs).unsqueeze(-2) + (layer.splines(inputs).unsqueeze(-3) * coefficients).sum(-1)
    torch.testing.assert_close(layer(inputs), edges.sum(-1))


def test_far_beyond_the_grid_an_edge_is_silu_alone() -> None:
    layer, inputs = KANLayer(4, 2), torch.tensor([[3.0, -3.0, 50.0, -1e4]])
    torch.testing.assert_close(layer(inputs), F.silu(inputs) @ layer.weight.mT)
