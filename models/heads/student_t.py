"""Student's t distribution for each value: a normal one with heavier tails."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from scipy.special import stdtrit
from torch import Tensor
from torch.distributions import StudentT

from datasets.windows.batch import Batch, Inputs
from models.base import Forecast
from models.heads.base import Head, unpack
from models.heads.draws import Draws

_MOST = 1000.0
"""Degrees of freedom beyond which nothing changes but rounding errors."""


class StudentTHead(Head):
    """Location, log scale, and degrees of freedom 2 + softplus(output): there is always a variance.

    The loss is the negative log-likelihood of the scaled value.
    """

    n_outputs = 3

    def distribution(self, outputs: Float[Tensor, "B H C 3"]) -> StudentT:
        """What each value is distributed like, in the units of ``Inputs.past_target``."""
        location, log_scale, rest = unpack(outputs)
        df = (2 + F.softplus(rest.squeeze(-1))).clamp(max=_MOST)
        return StudentT(df, location, log_scale.exp(), validate_args=False)

    def loss(self, outputs: Float[Tensor, "B H C 3"], batch: Batch) -> Float[Tensor, "B H C"]:
        """-log t(target; df, location, scale), in nats."""
        density: Tensor = self.distribution(outputs).log_prob(batch.future_target)  # type: ignore[no-untyped-call]
        return -density

    def forecast(self, outputs: Float[Tensor, "B H C 3"], inputs: Inputs, n_paths: int, draws: Draws) -> Forecast:
        """Paths whose values are independent of each other, by the inverse distribution function."""
        t = self.distribution(outputs)
        levels = draws.levels(n_paths, *t.loc.shape[1:])
        return Forecast(paths=t.loc.unsqueeze(1) + t.scale.unsqueeze(1) * student_t_quantile(t.df.unsqueeze(1), levels))


def student_t_quantile(df: Float[Tensor, "*#shape"], levels: Float[Tensor, "*#shape"]) -> Float[Tensor, "*shape"]:
    """The value that a standard t stays under with the probability ``level``: scipy's, on the CPU, without a gradient."""
    found = stdtrit(df.detach().cpu().double().numpy(), levels.cpu().double().numpy())
    return torch.from_numpy(found).to(levels)
