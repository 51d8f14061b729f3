"""Metrics over all windows of a stage: sums in float64 over every observed value, never a mean of means over batches.

What each metric is, says ``tuner.study.metrics``. Windows come in order. They are summed in blocks of a fixed number, and a
series is folded into the totals when its last window is in: no metric depends on how windows were batched, and what is kept
does not grow with windows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from datasets.base import BoolArray, FloatArray, IntArray
from datasets.windows.prepared import PreparedData, Stage
from datasets.windows.windowing import series_of, times_scored
from tuner.study.metrics import METRICS

_BLOCK = 1 << 14
"""Values of a block: few enough for a processor's cache."""

_ROUNDING = 1e-12
"""A sum of squares about the mean that is smaller than this share of the sum of squares is a rounding error."""

_RATIOS = {
    "mse_scaled": ("squared_scaled", "n"),
    "mae_scaled": ("absolute_scaled", "n"),
    "mae": ("absolute", "n"),
    "rmse": ("squared", "n"),
    "mase": ("sum_mase", "n_mase"),
    "smape": ("sum_smape", "n_smape"),
    "msmape": ("sum_msmape", "n_msmape"),
    "rmse_mean": ("sum_rmse", "n_rmse"),
    "rse": ("squared", "spread"),
    "rae": ("absolute", "deviation"),
    "corr": ("sum_corr", "n_corr"),
    "q_risk_50": ("absolute", "size"),
    "q_risk_90": ("pinball_90", "size"),
    "crps": ("crps", "n"),
    "crps_scaled": ("crps_scaled", "n"),
    "crps_sum": ("crps_sum", "size_sum"),
    "coverage_80": ("inside_80", "n"),
    "coverage_95": ("inside_95", "n"),
    "loss": ("loss", "n"),
}
"""One sum over another: every metric but the medians."""

_ROOTS = ("rmse", "rse")

_MEDIANS = {f"{name}_median": name for name in ("mase", "smape", "msmape", "mae", "rmse")}
"""Metric to what it is the median of: a number for each pair of series and channel."""

_quiet = np.errstate(all="ignore")
"""Of forecasts that are not finite, the metrics are not finite: whoever ranks by them looks."""


@dataclass(frozen=True, kw_only=True)
class Score:
    """What a forecaster is worth over the same windows as all others.

    A metric that has no value, because its formula would divide by 0, is left out; NaN tells of forecasts that are not finite.
    """

    n_windows: int
    metrics: dict[str, float]
    """By name, as in ``tuner.study.metrics``; ``loss`` only if it was asked for."""
    by_channel: dict[str, dict[str, float]]
    """Metric to channel to value: all but crps_sum."""
    by_step: dict[str, list[float | None]]
    """Metric to H values, None where there is none: all but means and medians over series, rse and rae."""
    n_dropped: dict[str, int]
    """mase, corr: how many pairs of series and channel had no value, and are not in the mean."""


def mean_score(scores: Sequence[Score]) -> Score:
    """The mean over stages, each counted once: of every number that all of them have. Counts are summed."""

    def mean(values: Sequence[float | None]) -> float | None:
        numbers = [value for value in values if value is not None]
        return math.fsum(numbers) / len(numbers) if len(numbers) == len(values) else None

    def means(parts: Sequence[Mapping[str, float]]) -> dict[str, float]:
        found = {key: mean([part.get(key) for part in parts]) for key in parts[0]}
        return {key: value for key, value in found.items() if value is not None}

    first = scores[0]
    steps = [name for name in first.by_step if all(name in score.by_step for score in scores)]
    return Score(
        n_windows=sum(score.n_windows for score in scores),
        metrics=means([score.metrics for score in scores]),
        by_channel={name: means([score.by_channel.get(name, {}) for score in scores]) for name in first.by_channel},
        by_step={name: [mean(step) for step in zip(*(s.by_step[name] for s in scores), strict=True)] for name in steps},
        n_dropped={name: sum(score.n_dropped[name] for score in scores) for name in first.n_dropped},
    )


class ErrorSums:
    """Collects forecasts of all windows that a stage scores, in original units, and compares them with what came.

    Args:
        data: Whose windows are scored.
        stage: Which of them; its earlier rows give the scales.
        block: Values that are summed at a time; sums differ by rounding between block sizes, and by nothing within one.
    """

    def __init__(self, data: PreparedData, stage: Stage, *, block: int = _BLOCK) -> None:
        self._data, self._stage, self._channels = data, stage, data.channels
        self._mean, self._std = stage.scalers.targets.mean, stage.scalers.targets.std
        self._mase_scale = mase_scales(data, stage)
        self._block = max(block // (data.horizon * len(data.channels)), 1)
        self._pending: list[tuple[np.ndarray, ...]] = []
        self._n_pending = self._n_windows = 0
        self._open: tuple[int, dict[str, FloatArray]] | None = None
        self._by_value: dict[str, FloatArray] = {}  # (H, C)
        self._by_channel: dict[str, FloatArray] = {}  # (C,)
        self._by_step: dict[str, FloatArray] = {}  # (H,)
        self._of_pairs = {
            name: np.ma.array(np.zeros(self._mase_scale.shape), mask=True) for name in _MEDIANS.values()
        }  # (n_series, C)
        self._n_dropped = {"mase": 0, "corr": 0}

    def add(
        self,
        origins: Int[np.ndarray, " B"],
        paths: Float[np.ndarray, "B n H C"],
        loss: Float[np.ndarray, "B H C"] | None = None,
    ) -> None:
        """Adds a batch of windows, in float64; series never fall from one window to the next.

        Args:
            origins: The last past row of each window.
            paths: Of the forecast; a point forecast is one path.
            loss: Of each value, for the metric of that name; with every batch, or with none.
        """
        windows = (origins, paths, *(() if loss is None else (loss,)))
        start = 0
        while start < len(origins):
            end = min(start + self._block - self._n_pending, len(origins))
            self._pending.append(tuple(part[start:end] for part in windows))
            self._n_pending += end - start
            start = end
            if self._n_pending == self._block:
                self._flush()

    def score(self) -> Score:
        """The metrics over everything that was added.

        Raises:
            ValueError: nothing was observed in what was to be scored.
        """
        self._flush()
        if self._open:
            series, sums = self._open
            self._close(np.array([series]), {name: part[None] for name, part in sums.items()})
            self._open = None
        if not self._by_value["n"].any():
            raise ValueError("a score needs at least one observed value, the scored rows hold none; move the split")
        overall = {
            name: part.sum() for sums in (self._by_value, self._by_channel, self._by_step) for name, part in sums.items()
        }
        channels = {**{name: part.sum(0) for name, part in self._by_value.items()}, **self._by_channel}
        steps = {**{name: part.sum(1) for name, part in self._by_value.items()}, **self._by_step}
        for sums, (spread, deviation) in zip((overall, channels), self._about_mean(), strict=True):
            sums["spread"], sums["deviation"] = spread, deviation
        pooled = {name: part.reshape(-1, 1) for name, part in self._of_pairs.items()}
        return Score(
            n_windows=self._n_windows,
            metrics={name: value for name, (value,) in _values(overall, pooled).items() if value is not None},
            by_channel={
                name: {channel: v for channel, v in zip(self._channels, values, strict=True) if v is not None}
                for name, values in _values(channels, self._of_pairs).items()
            },
            by_step=_values(steps),
            n_dropped=dict(self._n_dropped),
        )

    def _flush(self) -> None:
        if self._pending:
            parts = [part[0] if len(part) == 1 else np.concatenate(part) for part in zip(*self._pending, strict=True)]
            self._pending, self._n_pending = [], 0
            self._sum(*parts)

    @_quiet
    def _sum(self, origins: IntArray, paths: FloatArray, loss: FloatArray | None = None) -> None:
        """Sums a block over the windows of each series."""
        series = series_of(origins, self._data.offsets)
        truth, observed = truth_of(self._data, origins)
        self._n_windows += len(series)
        level = self._mean[series][:, None]
        if not observed.all():
            truth, level = np.where(observed, truth, 0.0), np.where(observed, level, 0.0)
            paths = np.where(observed[:, None], paths, 0.0)
            loss = None if loss is None else np.where(observed, loss, 0.0)
        rounded = np.rint if self._data.whole_numbers else _as_is
        values = _errors(truth, observed, paths, level, rounded) | ({} if loss is None else {"loss": loss})
        for name, part in (("crps_sum", crps(rounded(paths).sum(-1), truth.sum(-1))), ("size_sum", np.abs(truth.sum(-1)))):
            _add(self._by_step, name, part.sum(0))
        first = np.flatnonzero(np.diff(series, prepend=-1))
        ids, sums = series[first], {name: _sum_groups(part, first) for name, part in values.items()}
        if self._open:
            open_id, opened = self._open
            if open_id == ids[0]:
                for name, part in sums.items():
                    part[0] += opened[name]
            else:
                ids, sums = np.append(open_id, ids), {name: np.concatenate([opened[name][None], sums[name]]) for name in sums}
        assert (np.diff(ids) > 0).all(), "windows must come sorted by series"
        if len(ids) > 1:
            self._close(ids[:-1], {name: part[:-1] for name, part in sums.items()})
        self._open = int(ids[-1]), {name: part[-1] for name, part in sums.items()}

    @_quiet
    def _close(self, series: IntArray, sums: dict[str, FloatArray]) -> None:
        """Folds the sums (k, H, C) of k series, all of whose windows are in, into the totals."""
        std = self._std[series][:, None]
        for name in ("n", "absolute", "squared", "size", "pinball_90", "crps", "inside_80", "inside_95", "loss"):
            if name in sums:
                _add(self._by_value, name, sums[name].sum(0))
        for name, unit in (("absolute", std), ("squared", std**2), ("crps", std)):
            _add(self._by_value, f"{name}_scaled", (sums[name] / unit).sum(0))

        n, absolute, squared, smape, msmape, y, yy, f, ff, yf = (
            sums[name].sum(1) for name in ("n", "absolute", "squared", "smape", "msmape", "y", "yy", "f", "ff", "yf")
        )
        seen, n = n > 0, np.maximum(n, 1.0)
        scale = self._mase_scale[series]
        y_squares, f_squares = yy - y**2 / n, ff - f**2 / n
        correlation = (yf - y * f / n) / np.sqrt(y_squares * f_squares)
        for name, defined, value in (
            ("mae", seen, absolute / n),
            ("rmse", seen, np.sqrt(squared / n)),
            ("smape", seen, smape / n),
            ("msmape", seen, msmape / n),
            ("mase", seen & (scale > 0), absolute / n / scale),
            ("corr", seen & (y_squares > _ROUNDING * yy), np.where(f_squares <= _ROUNDING * ff, 0.0, correlation)),
        ):
            _add(self._by_channel, f"sum_{name}", np.where(defined, value, 0.0).sum(0))
            _add(self._by_channel, f"n_{name}", defined.sum(0).astype(np.float64))
            if name in self._of_pairs:
                self._of_pairs[name][series] = np.ma.array(value, mask=~defined)
            if name in self._n_dropped:
                self._n_dropped[name] += int((seen & ~defined).sum())

    def _about_mean(self) -> tuple[tuple[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]:
        """Sums of squares and of sizes of what is scored about its mean: (1,) over all channels; (C,) each about its own."""
        counts = times_scored(self._stage, self._data.offsets, self._data.horizon, self._data.first_counted)
        rows = np.flatnonzero(counts)
        truth, weight = self._data.values[rows], counts[rows, None] * self._data.observed[rows]
        truth = np.where(weight > 0, truth, 0.0)

        def about(truth: FloatArray, weight: IntArray) -> tuple[FloatArray, FloatArray]:
            mean = (weight * truth).sum(0) / np.maximum(weight.sum(0), 1)
            ends = np.where(weight > 0, truth, -np.inf).max(0), np.where(weight > 0, truth, np.inf).min(0)
            off = np.where(ends[0] > ends[1], np.abs(truth - mean), 0.0)  # of a constant, its mean has a rounding error
            return (weight * off**2).sum(0), (weight * off).sum(0)

        return about(truth.reshape(-1, 1), weight.reshape(-1, 1)), about(truth, weight)


def truth_of(data: PreparedData, origins: IntArray) -> tuple[FloatArray, BoolArray]:
    """(n, H, C): what came after each origin in original units, and what of it counts: it was observed, and its step counts."""
    rows = origins[:, None] + np.arange(1, data.horizon + 1)
    counts = data.observed[rows]
    counts[:, : data.first_counted] = False
    return data.values[rows], counts


def _sum_groups(part: FloatArray, first: IntArray) -> FloatArray:
    """Sums over the rows of each group, by the first row of each; reduceat takes several times as long for the same."""
    return part.sum(0, keepdims=True) if len(first) == 1 else np.add.reduceat(part, first, axis=0)


def _as_is(values: FloatArray) -> FloatArray:
    return values


def _errors(
    truth: FloatArray, observed: np.ndarray, paths: FloatArray, level: FloatArray, rounded: Callable[[FloatArray], FloatArray]
) -> dict[str, FloatArray]:
    """What is summed: (N, H, C) each. Rounded is what a forecast says of its paths, as where it is written."""
    if paths.shape[1] == 1:
        mean = median = upper = rounded(paths[:, 0])
        inside_80 = inside_95 = ((mean == truth) & observed).astype(np.float64)
    else:
        ordered = np.sort(paths, axis=1)
        mean, median, upper = (rounded(part) for part in (paths.mean(1), _quantile(ordered, 0.5), _quantile(ordered, 0.9)))
        intervals = ([rounded(_quantile(ordered, level)) for level in (low, 1 - low)] for low in (0.1, 0.025))
        inside_80, inside_95 = (((low <= truth) & (truth <= high) & observed).astype(np.float64) for low, high in intervals)
    absolute, size = np.abs(truth - median), np.abs(truth)
    both = size + np.abs(median)
    y, f = truth - level, mean - level  # near 0, so that no digit is lost in sums of squares
    return {
        "n": observed.astype(np.float64),
        "absolute": absolute,
        "squared": (truth - mean) ** 2,
        "smape": 2 * absolute / np.maximum(both, np.finfo(np.float64).tiny),
        "msmape": 2 * absolute / np.maximum(both + 0.1, 0.6),
        "size": size,
        "pinball_90": 0.8 * (truth - upper) + np.abs(truth - upper),  # 2 max(.9 e, -.1 e)
        "crps": absolute if paths.shape[1] == 1 else _crps(rounded(ordered), truth),
        "inside_80": inside_80,
        "inside_95": inside_95,
        "y": y,
        "yy": y**2,
        "f": f,
        "ff": f**2,
        "yf": y * f,
    }


def crps(paths: FloatArray, truth: FloatArray) -> FloatArray:
    """The continuous ranked probability score of each value under its paths: mean |x_i - y| - sum |x_i - x_j| / (2 n^2).

    Args:
        paths: (B, n, ...)
        truth: (B, ...)
    """
    return np.abs(paths[:, 0] - truth) if paths.shape[1] == 1 else _crps(np.sort(paths, axis=1), truth)


def _crps(ordered: FloatArray, truth: FloatArray) -> FloatArray:
    """Of sorted paths: sum_ij |x_i - x_j| = 2 sum_i (2 i - n - 1) x_i."""
    n = ordered.shape[1]
    weights = np.arange(1 - n, n, 2) / n**2
    errors = ordered - truth[:, None]
    between = np.einsum("n,bn...->b...", weights, errors)
    result: FloatArray = np.abs(errors, out=errors).mean(1) - between
    return result


def _quantile(ordered: FloatArray, level: float) -> FloatArray:
    """Of sorted paths, between two of them by a line."""
    place = level * (ordered.shape[1] - 1)
    low = int(place)
    high = min(low + 1, ordered.shape[1] - 1)
    result: FloatArray = ordered[:, low] + (place - low) * (ordered[:, high] - ordered[:, low])
    return result


def mase_scales(data: PreparedData, stage: Stage) -> FloatArray:
    """(n_series, C): the mean of |y_t - y_{t-m}| over the rows before the scored ones, of pairs that were both observed.

    m is one season, or 1 where no such pair is a season apart; the scale is 0 where there is none at all. For the test they are
    all rows before it, as in the Monash archive.
    """
    start, score = data.offsets[:-1], data.offsets[:-1, None] + stage.score
    end = np.where(np.diff(score)[:, 0] > 0, score[:, 0], start + stage.train[:, 1])

    def sums(lag: int) -> tuple[FloatArray, IntArray]:
        total, count = np.zeros((len(start), len(data.channels))), np.zeros((len(start), len(data.channels)), dtype=np.int64)
        some = end - start > lag
        if some.any():
            pairs = data.observed[lag:] & data.observed[:-lag]
            steps = np.where(pairs, np.abs(data.values[lag:] - data.values[:-lag]), 0.0)
            # A row from start to end - lag has its partner in the same range; every other sum is of rows that do not.
            bounds = np.stack([start[some], end[some] - lag], 1).ravel()
            bounds = bounds[:-1] if bounds[-1] == len(pairs) else bounds
            total[some] = np.add.reduceat(steps, bounds, axis=0)[::2]
            count[some] = np.add.reduceat(pairs, bounds, axis=0, dtype=np.int64)[::2]
        return total, count

    total, count = sums(data.period)
    if not count.all():
        total, count = (np.where(count > 0, seasonal, near) for seasonal, near in zip((total, count), sums(1), strict=True))
    return total / np.maximum(count, 1)


def _median(numbers: FloatArray) -> float:
    """NaN if any number is not finite: a series whose forecasts broke must not hide behind the others."""
    return float(np.median(numbers)) if np.isfinite(numbers).all() else math.nan


def _add(sums: dict[str, FloatArray], name: str, part: FloatArray) -> None:
    sums[name] = sums[name] + part if name in sums else part


def _values(
    sums: Mapping[str, FloatArray], pairs: Mapping[str, np.ma.MaskedArray] | None = None
) -> dict[str, list[float | None]]:
    """The metrics whose sums are there, in the order of ``METRICS``; None where there is nothing to divide by.

    Args:
        sums: (k,) each.
        pairs: (n, k) each: what there are medians of.
    """
    result: dict[str, list[float | None]] = {}
    for name in METRICS:
        if pairs and name in _MEDIANS:
            columns = [column.compressed() for column in pairs[_MEDIANS[name]].T]
            result[name] = [_median(column) if len(column) else None for column in columns]
        elif name in _RATIOS and all(part in sums for part in _RATIOS[name]):
            above, below = (np.atleast_1d(sums[part]) for part in _RATIOS[name])
            values = above / np.where(below == 0, 1.0, below)
            values = np.sqrt(values) if name in _ROOTS else values
            result[name] = [None if none else float(value) for value, none in zip(values, below == 0, strict=True)]
    return result
