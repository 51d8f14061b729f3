"""Which earlier steps are worth showing beside each step: the last few, and those around whole seasons before.

The kind of choice is that of GluonTS for DeepAR (Alexandrov et al., "GluonTS", JMLR 2020): a season of the next longer unit,
and its neighbours. Which seasons, and how many of each, is our own choice.
"""

from __future__ import annotations

from datasets.config import DataConfig
from datasets.reading.frequency import is_business, step_of

_RECENT = (1, 2, 3, 4, 5, 6, 7)
_SEASONS: dict[str, tuple[tuple[float, int], ...]] = {  # unit: (units of a season, how often it is repeated)
    "second": ((60, 3), (3600, 3)),
    "minute": ((60, 3), (1440, 3), (10080, 1)),
    "hour": ((24, 7), (168, 3)),
    "day": ((7, 4), (30.4375, 3), (365.25, 2)),
    "business day": ((5, 4), (21.74, 3), (260.9, 2)),
    "week": ((4.348, 3), (52.1786, 3)),
    "month": ((12, 3),),
    "quarter": ((4, 3),),
    "year": (),
}


def lags_of(frequency: str, longest: int | None = None) -> tuple[int, ...]:
    """Steps back, rising.

    Args:
        frequency: A pandas alias; 15min has four steps where h has one.
        longest: Those beyond it are left out; None leaves out none.
    """
    n, unit = step_of(frequency)
    found = set(_RECENT)
    for units, repeats in _SEASONS["business day" if is_business(frequency) else unit]:
        for times in range(1, repeats + 1):
            centre = round(units * times / n)
            found |= {centre - 1, centre, centre + 1} if centre > 2 else set()
    return tuple(sorted(lag for lag in found if lag >= 1 and (longest is None or lag <= longest)))


def source_lags(config: DataConfig, frequency: str) -> tuple[int, ...]:
    """The lags that a config asks for."""
    return lags_of(frequency, config.longest_lag) if config.lags == "frequency" else ()


def reach_of(lookback: int, lags: tuple[int, ...]) -> int:
    """Steps of the past that a window needs: its lookback, and the longest lag before it."""
    return lookback + max(lags, default=0)
