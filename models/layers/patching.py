"""A series in patches."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def patches(
    series: Float[Tensor, "*rest L"], length: int, stride: int, *, before: int = 0, after: int = 0
) -> Float[Tensor, "*rest n length"]:
    """Windows of ``length`` steps of the last dimension, ``stride`` steps apart; what is left over at its end goes.

    Args:
        series: One series in each row.
        length: Steps of a patch.
        stride: From the start of a patch to that of the next.
        before: How often the first value is repeated in front of the series.
        after: How often the last value is repeated behind it.
    """
    first, last = series[..., :1], series[..., -1:]
    ends = (first.expand(*first.shape[:-1], before), series, last.expand(*last.shape[:-1], after))
    return torch.cat(ends, -1).unfold(-1, length, stride)
