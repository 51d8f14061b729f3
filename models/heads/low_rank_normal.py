"""A normal distribution of all channels of a step together."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor

from datasets.windows.batch import Batch, Inputs
from models.base import Forecast
from models.heads.base import Head, unpack
from models.heads.draws import Draws


class LowRankNormalHead(Head):
    """Channels share ``rank`` factors: the covariance of a step is D (I + V V') D, D = diag(exp(log spread)), V (C, rank).

    The multivariate normal with low-rank covariance of Salinas et al., "High-Dimensional Multivariate Forecasting with Low-Rank
    Gaussian Copula Processes", NeurIPS 2019, with V in units of D, so that a change of spread leaves correlations alone. Steps
    are independent of each other. The loss is the negative log-likelihood of the scaled values that were observed: the others
    are integrated out.

    Args:
        rank: How many factors; the cost is linear in the channels.

    Raises:
        ValueError: rank is below 1.
    """

    def __init__(self, rank: int = 4) -> None:
        super().__init__()
        if rank < 1:
            raise ValueError(f"train.rank must be 1 or more, got {rank}")
        self.rank, self.n_outputs = rank, 2 + rank

    def loss(self, outputs: Float[Tensor, "B H C O"], batch: Batch) -> Float[Tensor, "B H C"]:
        """The shares of the observed channels in -log N of their step, in nats: over them they sum to it. 0 for the others."""
        location, log_spread, factors = unpack(outputs)
        observed = batch.future_observed.float()
        with torch.autocast(outputs.device.type, enabled=False):
            # A missing channel as one that is 0 and shares no factor: its rows and columns of I + V V' are those of I.
            z = torch.where(batch.future_observed, (batch.future_target - location) * (-log_spread).exp(), 0.0)
            V = factors * observed.unsqueeze(-1)
            root = torch.linalg.cholesky_ex(torch.eye(self.rank, device=V.device) + V.mT @ V).L
            # z' (I + V V')^-1 z = |z - V w|^2 + |w|^2 with w = (I + V' V)^-1 V' z (Woodbury), as a sum that cannot cancel; and
            # det(I + V V') = det(I + V' V).
            w = torch.cholesky_solve(V.mT @ z.unsqueeze(-1), root)
            rest = z - (V @ w).squeeze(-1)
            joint = 0.5 * w.square().sum((-2, -1)) + root.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        share = joint / observed.sum(-1).clamp(min=1)
        losses: Tensor = observed * (0.5 * rest.square() + log_spread + 0.5 * math.log(2 * math.pi) + share.unsqueeze(-1))
        return losses

    def forecast(self, outputs: Float[Tensor, "B H C O"], inputs: Inputs, n_paths: int, draws: Draws) -> Forecast:
        """Paths whose channels are drawn together, and whose steps are independent."""
        location, log_spread, factors = unpack(outputs)
        _, horizon, width = location.shape
        own, shared = (torch.special.ndtri(draws.levels(n_paths, horizon, size)) for size in (width, self.rank))
        with torch.autocast(outputs.device.type, enabled=False):
            drawn = own + torch.einsum("bhcr,bnhr->bnhc", factors, shared)
        return Forecast(paths=location.unsqueeze(1) + log_spread.exp().unsqueeze(1) * drawn)
