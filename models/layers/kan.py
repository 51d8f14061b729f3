"""Kolmogorov-Arnold layers: each edge is a function of one number, not a weight."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


class KANLayer(nn.Module):
    """y_j = sum_i phi_ij(x_i) with phi_ij(x) = w_ij silu(x) + sum_m c_ijm B_m(x) (Liu et al., ICLR 2025,
    section 2.2).

    B_m are the B-splines of a uniform grid over [-reach, reach]. They overlap its ends, and are 0 soon beyond them, where an
    edge is w_ij silu(x) alone. All edges from an input read the same splines of it, so that a layer is two matrix products.

    Departures from the paper: the factor w_s of the splines lies in their coefficients, and the grid stays where it is, which
    the paper moves with the inputs. Coefficients start at random with a deviation of 0.1 / sqrt(n_inputs).

    Args:
        n_inputs: Numbers in.
        n_outputs: Numbers out.
        n_intervals: Of the grid.
        degree: Of the polynomials between its points.
        reach: Where the grid ends.
    """

    centres: Tensor

    def __init__(self, n_inputs: int, n_outputs: int, *, n_intervals: int = 5, degree: int = 3, reach: float = 1.0) -> None:
        super().__init__()
        self.degree, self.spacing = degree, 2 * reach / n_intervals
        n_splines = n_intervals + degree
        centres = (torch.arange(n_splines) - (n_splines - 1) / 2) * self.spacing
        self.register_buffer("centres", centres, persistent=False)
        self.weight = nn.Parameter(torch.empty(n_outputs, n_inputs).uniform_(-1, 1) / n_inputs**0.5)
        self.coefficients = nn.Parameter(torch.randn(n_outputs, n_inputs * n_splines) * 0.1 / n_inputs**0.5)

    def forward(self, inputs: Float[Tensor, "*B n"]) -> Float[Tensor, "*B m"]:
        """The sum over the edges to each output."""
        splines = self.splines(inputs.float()).flatten(-2)
        return F.linear(F.silu(inputs), self.weight) + F.linear(splines, self.coefficients)

    def splines(self, inputs: Float[Tensor, "*B n"]) -> Float[Tensor, "*B n m"]:
        """The value of each B-spline at each input: the cardinal spline around its centre, by truncated powers.

        With v = abs(x - centre) / spacing it is sum_i (-1)^i binom(d + 1, i) max((d + 1) / 2 - i - v, 0)^d / d!, where no term
        is large (Schoenberg, 1946).
        """
        distance = (inputs.unsqueeze(-1) - self.centres).abs() / self.spacing
        half, total = (self.degree + 1) / 2, torch.zeros_like(distance)
        for i in range(math.ceil(half)):
            factor = (-1) ** i * math.comb(self.degree + 1, i) / math.factorial(self.degree)
            total = total + factor * (half - i - distance).relu() ** self.degree
        return total
