"""Random numbers for forecasts, keyed by window: what is drawn for one does not depend on the batch around it."""

from __future__ import annotations

import hashlib
import math
from copy import copy
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from datasets.base import IntArray

_GOLDEN = -7046029254386353131  # 2**64 / golden ratio, odd, as int64


class Draws:
    """A stream of random numbers for each window of a batch, a function of (seed, window) alone; the same on every device.

    Each call goes on in the stream, so the order of calls matters, and nothing else does. Numbers are hashes of their place:
    two rounds of the finaliser of splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA
    2014).

    Args:
        seed: Of the study's paths.
        windows: (B,) int64: what tells windows apart, such as ``window_keys``.
    """

    def __init__(self, seed: int, windows: Int[Tensor, " B"]) -> None:
        self._key = _mix(_mix(windows + 1) + _mix(torch.full_like(windows, seed)))
        self._n_drawn = 0

    def part(self, start: int, end: int) -> Draws:
        """The streams of the windows [start, end) from here on; this one stays where it is."""
        part = copy(self)
        part._key = self._key[start:end]
        return part

    def uniform(self, *size: int) -> Float[Tensor, "B ..."]:
        """(B, *size) float32 numbers in (0, 1)."""
        count = math.prod(size)
        places = torch.arange(self._n_drawn, self._n_drawn + count, device=self._key.device)
        self._n_drawn += count
        bits = _mix(self._key[:, None] + (places + 1) * _GOLDEN)
        # The upper 23 bits and a half, which float32 holds exactly: the middle of an interval, never 0, never 1.
        numbers: Tensor = ((bits >> 41) & 0x7FFFFF).float() + 0.5
        return numbers.mul(2.0**-23).view(-1, *size)

    def normal(self, *size: int) -> Float[Tensor, "B ..."]:
        """(B, *size) standard normal numbers."""
        numbers: Tensor = torch.special.ndtri(self.uniform(*size))
        return numbers

    def levels(self, n_paths: int, *size: int) -> Float[Tensor, "B n ..."]:
        """(B, n_paths, *size) in (0, 1): along the paths the middles of n equal parts, in an order of its own for each value.

        A Latin hypercube (McKay, Beckman and Conover, Technometrics 1979): each value's levels are spread evenly, and the
        values of one path are independent.
        """
        order = self.uniform(n_paths, *size).argsort(dim=1, stable=True)
        return (order + 0.5) / n_paths


def window_keys(names: tuple[str, ...], series: IntArray, rows: IntArray) -> IntArray:
    """(n,): a key of each window, a function of its series' name and of its row in that series alone.

    So a window draws the same whichever series lie around its own, and however long they are.

    Args:
        names: Of all series.
        series: (n,): the place of each window's series in ``names``.
        rows: (n,): the origin of each window, counted from the first row of its series.
    """
    keys: IntArray = _name_keys(names)[series] + rows
    return keys


@lru_cache(maxsize=4)
def _name_keys(names: tuple[str, ...]) -> IntArray:
    """(n_series,): 64 bits of the BLAKE2b hash of each name (RFC 7693)."""
    hashes = b"".join(hashlib.blake2b(name.encode(), digest_size=8).digest() for name in names)
    return np.frombuffer(hashes, dtype="<i8").astype(np.int64)


def _mix(numbers: Int[Tensor, "*shape"]) -> Int[Tensor, "*shape"]:
    for _ in range(2):
        numbers = (numbers ^ _shift(numbers, 30)) * -4658895280553007687
        numbers = (numbers ^ _shift(numbers, 27)) * -7723592293110705685
        numbers = numbers ^ _shift(numbers, 31)
    return numbers


def _shift(numbers: Int[Tensor, "*shape"], bits: int) -> Int[Tensor, "*shape"]:
    """To the right, with zeros from the left, which int64 has no operator for."""
    return (numbers >> bits) & ((1 << (64 - bits)) - 1)
