"""How numbers, times and configs are put into words, the same in every view. Standard library only."""

from __future__ import annotations

import math
from collections.abc import Mapping

from search_spaces.base import Value
from tuner.study.metrics import METRICS


def number(value: float | None) -> str:
    """Four significant digits."""
    if value is None:
        return "-"
    size = abs(value)
    if size == 0 or not math.isfinite(size):
        return f"{value:g}"
    if 1e-4 <= size < 1e4:
        return f"{value:.{max(0, 3 - math.floor(math.log10(size)))}f}"
    return f"{value:,.0f}" if 1e4 <= size < 1e9 else f"{value:.3e}"


def count(n: int, word: str) -> str:
    """``1 trial``, ``2 trials``."""
    return f"{n:,} {word}{'' if n == 1 else 's'}"


def size(n_bytes: float) -> str:
    """``812 bytes``, ``3.4 MB``, in powers of ten."""
    if n_bytes < 1000:
        return f"{n_bytes:.0f} bytes"
    power = 1 if n_bytes < 999.5e3 else 2 if n_bytes < 999.5e6 else 3
    return f"{n_bytes / 1000**power:.3g} {('', 'kB', 'MB', 'GB')[power]}"


def clock(seconds: float | None) -> str:
    """``0:07``, ``12:03``, ``1:02:03``."""
    if seconds is None:
        return "-"
    minutes, s = divmod(round(seconds), 60)
    hours, m = divmod(minutes, 60)
    return f"{hours}:{m:02}:{s:02}" if hours else f"{m}:{s:02}"


def duration(seconds: float) -> str:
    """``7 s``, ``12 min 3 s``, ``1 h 2 min``."""
    minutes, s = divmod(round(seconds), 60)
    hours, m = divmod(minutes, 60)
    return f"{hours} h {m} min" if hours else f"{m} min {s} s" if m else f"{s} s"


def plain(value: Value) -> str:
    """One value of a config."""
    return "none" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)


def short_config(config: Mapping[str, Value], keys: Mapping[str, object] | None = None) -> str:
    """``learning_rate 0.001, width 64``: the values of ``keys``, or all, without their prefixes."""
    return ", ".join(f"{key.split('.', 1)[-1]} {plain(v)}" for key, v in config.items() if keys is None or key in keys)


def compared(metric: str, value: float, reference: float, name: str) -> str:
    """``12 % lower than NAME``, ``the same as NAME``, ``0.05 closer to 0.8 than NAME``: a value against another's."""
    words = difference(metric, value, reference)
    return f"{words} {'as' if words == _SAME else 'than'} {name}"


def difference(metric: str, value: float, reference: float) -> str:
    """``12 % lower``, ``0.3 % higher``, ``the same``, ``0.05 closer to 0.8``; no percent of what is not above 0."""
    known = METRICS[metric]
    nearer = known.cost(reference) - known.cost(value)
    if abs(nearer) <= 1e-12 * max(abs(value), abs(reference)):
        return _SAME
    if known.better == "target":
        return f"{number(abs(nearer))} {'closer to' if nearer > 0 else 'farther from'} {known.target:g}"
    way = "lower" if value < reference else "higher"
    if reference <= 0:
        return f"{number(abs(value - reference))} {way}"
    size = 100 * abs(value / reference - 1)
    digits = f"{size:.0f}" if size >= 9.5 else f"{size:.1f}" if size >= 0.05 else "less than 0.1"
    return f"{digits} % {way}"


_SAME = "the same"
