"""Counts: a negative binomial distribution for each value, in original units."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from scipy.stats import nbinom
from torch import Tensor
from torch.distributions import NegativeBinomial

from datasets.windows.batch import Batch, Inputs
from models.base import Forecast
from models.heads.base import Head, bounded, unpack
from models.heads.draws import Draws


class NegativeBinomialHead(Head):
    """A Poisson distribution with an extra spread: variance = mean + spread^2.

    The mean is scale * softplus(location + loc / scale), above 0, and the extra spread scale * exp(log spread): what comes out
    is a distribution of counts in original units, whatever ``data.scaling`` feeds the model. ``mean`` suits it best (as in
    Salinas et al., "DeepAR", IJF 2020, section 3.3): then loc is 0. Targets must be whole numbers of 0 or more. In the
    usual terms there are r = (mean / spread)^2 failures, kept within 1e-3 and 1e8. The loss is the negative log-likelihood of
    the count.

    Computed in float64, for log-gammas of large counts cancel; so there is none on mps, which has no float64.
    """

    n_outputs = 2

    def distribution(self, outputs: Float[Tensor, "B H C 2"], inputs: Inputs) -> NegativeBinomial:
        """What each value is distributed like, in original units, float64."""
        location, log_spread, _ = (part.double() for part in unpack(outputs))
        loc, scale = inputs.loc.double(), inputs.scale.double()
        log_mean = F.softplus(bounded(location + loc / scale, -30.0, math.inf)).log()
        log_r = bounded(2 * (log_mean - log_spread), math.log(1e-3), math.log(1e8))
        return NegativeBinomial(log_r.exp(), logits=log_mean + scale.log() - log_r, validate_args=False)

    def loss(self, outputs: Float[Tensor, "B H C 2"], batch: Batch) -> Float[Tensor, "B H C"]:
        """-log P(count), in nats. The count is the target in original units, not below 0."""
        inputs = batch.inputs
        counts = batch.future_target.double() * inputs.scale + inputs.loc
        density: Tensor = self.distribution(outputs, inputs).log_prob(counts.clamp(min=0))  # type: ignore[no-untyped-call]
        return -density.float()

    def forecast(self, outputs: Float[Tensor, "B H C 2"], inputs: Inputs, n_paths: int, draws: Draws) -> Forecast:
        """Paths of counts, independent of each other, by the inverse distribution function: scipy's, on the CPU."""
        counted = self.distribution(outputs, inputs)
        r, logits = (part.detach().unsqueeze(1) for part in (counted.total_count, counted.logits))
        levels = draws.levels(n_paths, *outputs.shape[1:3])
        arguments = (part.cpu().double().numpy() for part in (levels, r, torch.sigmoid(-logits)))
        counts = torch.from_numpy(nbinom.ppf(*arguments)).to(r)
        return Forecast(paths=((counts - inputs.loc.unsqueeze(1)) / inputs.scale.unsqueeze(1)).float())
