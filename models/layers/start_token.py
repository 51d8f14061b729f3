"""The decoder input of Zhou et al., AAAI 2021, equation 6: what is known of a window's end, and room for the horizon."""

from __future__ import annotations

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


def last_steps(series: Float[Tensor, "B L C"], n_steps: int) -> Float[Tensor, "B n C"]:
    """The last ``n_steps``; none of them if it is 0."""
    return series[:, series.shape[1] - n_steps :]


def start_token(series: Float[Tensor, "B L C"], n_start: int, horizon: int) -> Float[Tensor, "B T C"]:
    """The last ``n_start`` steps, then zeros in the place of the horizon."""
    return F.pad(last_steps(series, n_start), (0, 0, 0, horizon))
