"""``PreparedData`` to batches, gathered where the model runs: no work by the window, no copies by the worker, no state."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from datasets.base import IntArray
from datasets.windows.batch import Batch, Inputs
from datasets.windows.prepared import PreparedData
from datasets.windows.windowing import check_windows


class WindowSource:
    """The arrays of a trial as tensors on its device, and the way from origins to a ``Batch``.

    Args:
        data: Scaled arrays; they may be read-only, and on the CPU they are not copied.
        lookback: L, steps of the past.
        horizon: H, steps of the future.
        device: Where batches are gathered.
    """

    def __init__(self, data: PreparedData, lookback: int, horizon: int, device: torch.device | str = "cpu") -> None:
        self.lookback, self.horizon, self.device = lookback, horizon, torch.device(device)
        self.offsets = data.offsets
        values, known = (_tensor(array, self.device) for array in (data.values, data.known))
        # A complete panel is the rule; then one True stands for all of them and nothing is gathered.
        mask = None if data.observed.all() else _tensor(data.observed, self.device)
        self._n_channels, self._n_known = values.shape[1], known.shape[1]
        self._past, self._future = (
            [_windows(array, steps) for array in (values, known, mask) if array is not None] for steps in (lookback, horizon)
        )
        scaler = (data.scaler.mean, data.scaler.std)
        self._loc, self._scale = (_tensor(array.astype(np.float32), self.device).unsqueeze(1) for array in scaler)
        self._ends = _tensor(data.offsets[1:], self.device)
        self._true = torch.ones((), dtype=torch.bool, device=self.device)

    def check(self, origins: IntArray) -> None:
        """Makes sure that these windows exist; see ``check_windows``."""
        check_windows(origins, self.offsets, self.lookback, self.horizon)

    def batch(self, origins: Tensor) -> Batch:
        """The windows at some origins.

        Args:
            origins: (B,) int64 flat rows, on this source's device.
        """
        size = len(origins)
        past_target, past_known, *past_mask = self._gather(self._past, origins - (self.lookback - 1), self.lookback)
        future_target, future_known, *future_mask = self._gather(self._future, origins + 1, self.horizon)
        series = torch.bucketize(origins, self._ends, right=True) if len(self._loc) > 1 else origins.new_zeros(1)
        absent = past_target.new_zeros(0)
        inputs = Inputs(
            past_target=past_target,
            past_observed=past_mask[0] if past_mask else self._true.expand_as(past_target),
            past_covariates=absent.view(size, self.lookback, 0),
            past_known=past_known,
            future_known=future_known,
            past_lags=absent.view(size, self.lookback, self._n_channels, 0),
            static=absent.view(size, 0),
            static_categories=origins.new_zeros(0).view(size, 0),
            loc=self._loc[series].expand(size, 1, -1),
            scale=self._scale[series].expand(size, 1, -1),
        )
        observed = future_mask[0] if future_mask else self._true.expand_as(future_target)
        return Batch(inputs=inputs, future_target=future_target, future_observed=observed)

    def _gather(self, windows: list[Tensor], starts: Tensor, steps: int) -> list[Tensor]:
        widths = (self._n_channels, self._n_known, self._n_channels)
        return [
            view.index_select(0, starts).view(len(starts), steps, width) for view, width in zip(windows, widths, strict=False)
        ]


class TrainLoader:
    """An endless stream of shuffled windows, cut into epochs. What an epoch holds is a function of seed and epoch alone.

    The stream is one permutation of all windows after the other; permutation p is keyed by (seed, p). Epoch e takes the
    positions from e x W on, so short epochs share out a permutation before any window comes again.

    Args:
        source: Where windows come from.
        origins: (n,) flat rows of all training windows.
        batch_size: Windows a batch; the last batch of an epoch may be smaller.
        windows_per_epoch: W; None takes n.
        seed: Key of the order.
    """

    def __init__(
        self, source: WindowSource, origins: IntArray, batch_size: int, windows_per_epoch: int | None = None, seed: int = 0
    ) -> None:
        source.check(origins)
        self.source, self.origins, self.batch_size, self.seed = source, origins, batch_size, seed
        self.windows_per_epoch = windows_per_epoch or len(origins)
        self.epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """The epoch, from 0, that the next iteration gives."""
        self.epoch = epoch

    def __len__(self) -> int:
        """Batches an epoch."""
        return -(-self.windows_per_epoch // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        return _batches(self.source, self.order(self.epoch), self.batch_size)

    def order(self, epoch: int) -> IntArray:
        """(W,): the origins of an epoch, in order."""
        n, first = len(self.origins), epoch * self.windows_per_epoch
        last = first + self.windows_per_epoch
        pages = range(first // n, (last - 1) // n + 1)
        stream = np.concatenate([_permutation(self.seed, page, n) for page in pages])
        origins: IntArray = self.origins[stream[first - pages[0] * n : last - pages[0] * n]]
        return origins


class ScoreLoader:
    """Every window once, in order, none dropped.

    Args:
        source: Where windows come from.
        origins: (n,) flat rows of the windows that are scored.
        batch_size: Windows a batch; the last one may be smaller.
    """

    def __init__(self, source: WindowSource, origins: IntArray, batch_size: int) -> None:
        source.check(origins)
        self.source, self.origins, self.batch_size = source, origins, batch_size

    def __len__(self) -> int:
        """Batches."""
        return -(-len(self.origins) // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        return _batches(self.source, self.origins, self.batch_size)


def _batches(source: WindowSource, origins: IntArray, batch_size: int) -> Iterator[Batch]:
    on_device = _tensor(origins, source.device)
    for start in range(0, len(origins), batch_size):
        yield source.batch(on_device[start : start + batch_size])


def _permutation(seed: int, page: int, n: int) -> IntArray:
    # Raw bits, sorted: numpy promises them for ever, and makes no such promise for Generator.permutation.
    bits = np.random.Philox(np.random.SeedSequence(seed, spawn_key=(page,))).random_raw(n)
    return np.argsort(bits, kind="stable").astype(np.int64)


def _windows(array: Tensor, steps: int) -> Tensor:
    """(rows - steps + 1, steps x width): every run of rows, as overlapping views of one buffer."""
    rows, width = array.shape
    return array.as_strided((max(rows - steps + 1, 0), steps * width), (width, 1))


def _tensor(array: np.ndarray, device: torch.device) -> Tensor:
    with warnings.catch_warnings():
        # Ray's object store hands out read-only arrays; nothing here writes to one.
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable", category=UserWarning)
        return torch.from_numpy(np.ascontiguousarray(array)).to(device)
