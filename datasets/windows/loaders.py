"""``PreparedData`` to batches, gathered where the model runs: no work by the window, no copies by the worker, no state."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from datasets.base import IntArray
from datasets.config import DataConfig
from datasets.windows.batch import Batch, Inputs
from datasets.windows.lags import reach_of, source_lags
from datasets.windows.prepared import PreparedData, Scaler, Stage
from datasets.windows.scaling import scaled
from datasets.windows.windowing import Origins, check_windows

_CHUNK = 1 << 16
"""Places of a permutation that are worked out at a time."""


class WindowSource:
    """The arrays of a stage as tensors on a device, scaled as its train rows say, and the way from origins to a ``Batch``.

    Args:
        data: In original units; its arrays may be read-only.
        stage: Whose train rows give level and spread.
        config: Lookback, scaling, lags.
        device: Where batches are gathered.
    """

    def __init__(self, data: PreparedData, stage: Stage, config: DataConfig, device: torch.device | str = "cpu") -> None:
        self.lookback, self.horizon, self.device = config.lookback, data.horizon, torch.device(device)
        self.lags = source_lags(config, data.frequency)
        self.reach = reach_of(config.lookback, self.lags)
        self.offsets = data.offsets
        scalers = stage.scalers
        self.affine = loc, scale = scalers.targets.affine(config.scaling)
        """loc and scale, (n_series, C) float64: original = scaled * scale + loc. What ``Inputs`` holds in float32."""
        self._values = _tensor(scaled(data.values, loc, scale, data.offsets), self.device)
        # A complete panel is the rule; then one True stands for all of them and nothing is gathered.
        self._observed = None if data.observed.all() else _tensor(data.observed, self.device)
        self._covariates = self._pooled(data.covariates, scalers.covariates)
        self._known = self._pooled(data.known, scalers.known)
        self._calendar = _tensor(data.calendar, self.device)
        shift = data.calendar_rows - data.offsets[:-1]
        self._shift = _tensor(shift, self.device) if shift.any() else None
        self._ends = _tensor(data.offsets[1:], self.device)
        self._loc, self._scale = (_tensor(part.astype(np.float32), self.device).unsqueeze(1) for part in (loc, scale))
        self._static = self._pooled(data.static, scalers.static)
        self._categories = _tensor(data.static_categories, self.device)
        self._true = torch.ones((), dtype=torch.bool, device=self.device)
        self.first_counted = data.first_counted
        self._counted = _tensor(np.arange(self.horizon)[:, None] >= data.first_counted, self.device)
        # Of each step of the history, and of the horizon after it: where the steps so many before it lie in the history.
        steps = np.arange(self.reach - self.lookback, self.reach + self.horizon)
        self._lag_places = _tensor(steps[:, None] - np.array(self.lags, dtype=np.int64), self.device)

    def _pooled(self, columns: np.ndarray, scaler: Scaler) -> Tensor:
        return _tensor(scaled(columns, scaler.mean, scaler.std, self.offsets), self.device)

    def check(self, origins: Origins) -> None:
        """Makes sure that these windows exist; see ``check_windows``."""
        check_windows(origins, self.offsets, self.reach, self.horizon)

    def batch(self, origins: Tensor) -> Batch:
        """The windows at some origins.

        Args:
            origins: (B,) int64 flat rows, on this source's device.
        """
        series = torch.bucketize(origins, self._ends, right=True) if len(self._ends) > 1 else None
        past, future = origins - (self.lookback - 1), origins + 1
        target, future_target = _gather(self._values, past, self.lookback), _gather(self._values, future, self.horizon)
        past_lags, future_lags = self._lagged(origins, target)
        inputs = Inputs(
            past_target=target,
            past_observed=self._mask(past, target),
            past_covariates=_gather(self._covariates, past, self.lookback),
            past_known=self._ahead(past, self.lookback, series),
            future_known=self._ahead(future, self.horizon, series),
            past_lags=past_lags,
            future_lags=future_lags,
            static=_rows(self._static, series, len(origins)),
            static_categories=_rows(self._categories, series, len(origins)),
            loc=_rows(self._loc, series, len(origins)),
            scale=_rows(self._scale, series, len(origins)),
        )
        counts = self._mask(future, future_target)
        counts = counts & self._counted if self.first_counted else counts
        return Batch(inputs=inputs, future_target=future_target, future_observed=counts)

    def _mask(self, starts: Tensor, like: Tensor) -> Tensor:
        return self._true.expand_as(like) if self._observed is None else _gather(self._observed, starts, like.shape[1])

    def _ahead(self, starts: Tensor, steps: int, series: Tensor | None) -> Tensor:
        shifted = starts if self._shift is None else starts + _rows(self._shift, series, len(starts))
        calendar = _gather(self._calendar, shifted, steps)
        return torch.cat([calendar, _gather(self._known, starts, steps)], -1) if self._known.shape[1] else calendar

    def _lagged(self, origins: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        size, _, width = target.shape
        if not self.lags:
            return target.new_zeros(size, self.lookback, width, 0), target.new_zeros(size, self.horizon, width, 0)
        history = _gather(self._values, origins - (self.reach - 1), self.reach)
        history = torch.cat([history, history.new_zeros(size, self.horizon, width)], 1)
        lagged = history[:, self._lag_places].transpose(2, 3)
        return lagged[:, : self.lookback], lagged[:, self.lookback :]


class TrainLoader:
    """An endless stream of shuffled windows, cut into epochs. What an epoch holds is a function of seed and epoch alone.

    The stream is one permutation of all windows after the other; permutation p is keyed by (seed, p). Epoch e takes the
    positions from e x W on, so short epochs share out a permutation before any window comes again. A place of a permutation is
    worked out when it is needed: nothing grows with the number of windows.

    Args:
        source: Where windows come from.
        origins: Of all training windows.
        batch_size: Windows a batch; the last batch of an epoch may be smaller.
        windows_per_epoch: W; None takes all.
        seed: Key of the order.
    """

    def __init__(
        self, source: WindowSource, origins: Origins, batch_size: int, windows_per_epoch: int | None = None, seed: int = 0
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
        chunk = max(_CHUNK // self.batch_size, 1) * self.batch_size
        for start in range(0, self.windows_per_epoch, chunk):
            order = _tensor(self.order(self.epoch, start, min(start + chunk, self.windows_per_epoch)), self.source.device)
            for batch in range(0, len(order), self.batch_size):
                yield self.source.batch(order[batch : batch + self.batch_size])

    def order(self, epoch: int, start: int = 0, end: int | None = None) -> IntArray:
        """(end - start,): the origins of an epoch in order, or of a part of it."""
        n, first = len(self.origins), epoch * self.windows_per_epoch
        first, last = first + start, first + (self.windows_per_epoch if end is None else end)
        pages = range(first // n, -(-last // n))
        places = [np.arange(max(first - page * n, 0), min(last - page * n, n)) for page in pages]
        return self.origins.take(
            np.concatenate([permuted(p, n, self.seed, page) for p, page in zip(places, pages, strict=True)])
        )


class ScoreLoader:
    """Every window once, in order, none dropped.

    Args:
        source: Where windows come from.
        origins: Of the windows that are scored.
        batch_size: Windows a batch; the last one may be smaller.
    """

    def __init__(self, source: WindowSource, origins: Origins, batch_size: int) -> None:
        source.check(origins)
        self.source, self.origins, self.batch_size = source, origins, batch_size

    def __len__(self) -> int:
        """Batches."""
        return -(-len(self.origins) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[IntArray, Batch]]:
        for origins in self.origins.batches(self.batch_size):
            yield origins, self.source.batch(_tensor(origins, self.source.device))


def permuted(places: IntArray, n: int, seed: int, page: int) -> IntArray:
    """Where permutation ``page`` of 0 .. n - 1 puts some places, each by itself.

    A Feistel network on the least even number of bits that holds n; what falls outside walks on until it is inside (Black and
    Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002). Whole numbers alone: the same on every machine.
    """
    half = max((max(n - 1, 1).bit_length() + 1) // 2, 1)
    mask = np.uint64((1 << half) - 1)
    keys = np.random.SeedSequence(seed, spawn_key=(page,)).generate_state(6, np.uint64)
    result = places.astype(np.uint64)
    walking = np.ones(len(places), dtype=bool)
    while walking.any():
        left, right = result[walking] >> np.uint64(half), result[walking] & mask
        for key in keys:
            left, right = right, left ^ (_mixed(right + key) & mask)
        result[walking] = (left << np.uint64(half)) | right
        walking[walking] = result[walking] >= n
    return result.astype(np.int64)


def _mixed(numbers: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The finaliser of splitmix64 (Steele, Lea and Flood, OOPSLA 2014): bits that look random."""
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        numbers = (numbers ^ (numbers >> np.uint64(shift))) * np.uint64(factor)
    return numbers ^ (numbers >> np.uint64(31))


def _rows(table: Tensor, series: Tensor | None, size: int) -> Tensor:
    """(B, ...): the row of each window's series; None where there is one series."""
    return table.expand(size, *table.shape[1:]) if series is None else table.index_select(0, series)


def _gather(array: Tensor, starts: Tensor, steps: int) -> Tensor:
    """(B, steps, width): a run of rows from each start, read from overlapping views of one buffer."""
    rows, width = array.shape
    if not width:
        return array.new_zeros(len(starts), steps, 0)
    windows = array.as_strided((max(rows - steps + 1, 0), steps * width), (width, 1))
    return windows.index_select(0, starts).view(len(starts), steps, width)


def _tensor(array: np.ndarray, device: torch.device) -> Tensor:
    with warnings.catch_warnings():
        # Ray's object store hands out read-only arrays; nothing here writes to one.
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable", category=UserWarning)
        return torch.from_numpy(np.ascontiguousarray(array)).to(device)
