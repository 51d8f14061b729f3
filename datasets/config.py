"""What of the data a space may search, and where series are cut. Standard library only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeAlias, get_args

Scaling = Literal["standard", "mean", "none"]
Lags = Literal["none", "frequency"]


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """How one trial sees the data. Nothing here can move a window that is scored."""

    lookback: int = 96
    """Steps of the past that the model sees."""
    scaling: Scaling = "standard"
    """What feeds the model, by series and channel, from train rows: standard: z-score; mean: divided by the mean size; none."""
    lags: Lags = "none"
    """frequency: each step comes with the values an hour, a day, a week ... before it, for models that use them."""
    longest_lag: int | None = None
    """Lags beyond it are left out, in steps; None leaves out none."""

    def __post_init__(self) -> None:
        if self.lookback < 1:
            raise ValueError(f"data.lookback must be 1 or more, got {self.lookback}")
        if self.longest_lag is not None and self.longest_lag < 1:
            raise ValueError(f"data.longest_lag must be 1 or more, or none, got {self.longest_lag}")
        for name, allowed in (("scaling", Scaling), ("lags", Lags)):
            if getattr(self, name) not in get_args(allowed):
                raise ValueError(f"data.{name} must be one of {', '.join(get_args(allowed))}, got {getattr(self, name)!r}")


@dataclass(frozen=True, kw_only=True)
class Columns:
    """What the columns of a source are, by name; what a source has beyond them is its time column."""

    target: tuple[str, ...] = ()
    """What is forecast; empty takes every column of numbers that has no other part."""
    covariates: tuple[str, ...] | None = None
    """Known only up to the origin; None takes every column of numbers that is left when targets are named."""
    known: tuple[str, ...] = ()
    """Known ahead, through the horizon."""
    static: tuple[str, ...] = ()
    """The same in all rows of a series: numbers, or words as categories."""
    categories: tuple[str, ...] | None = None
    """Which of the static ones are words; None lets each column's own type say it. Not a user's choice: who reads a file for a
    trained model says what training read."""
    series_id: str | None = None
    """The column that tells series apart: the table is long."""
    time: str | None = None
    """None takes the only column with a usual name."""


@dataclass(frozen=True, kw_only=True)
class Borders:
    """Where one series is cut: rows [0, train_end) train, [train_end, val_end) validate, [val_end, test_end) test.

    A window belongs to the part in which all of its targets lie; its past may reach into the part before.
    """

    train_end: int
    val_end: int
    test_end: int

    def __post_init__(self) -> None:
        if not 0 < self.train_end < self.val_end < self.test_end:
            raise ValueError(f"borders must rise from above 0, got {self}")


Cut: TypeAlias = Callable[[int, int], Borders]
"""(rows of a series, horizon) to its borders."""


def by_fractions(n_rows: int, horizon: int, train: float = 0.7, test: float = 0.2) -> Borders:
    """The field's usual cut of one long series: train from the start, test from the end, validation between."""
    return Borders(train_end=int(n_rows * train), val_end=n_rows - int(n_rows * test), test_end=n_rows)


def last_horizons(n_rows: int, horizon: int) -> Borders:
    """The usual cut of many short series: the last ``horizon`` rows test, as many before them validate (Monash's archive).

    Counted from the end of each series: where series end at different times, one may train later than another is scored.
    """
    return Borders(train_end=n_rows - 2 * horizon, val_end=n_rows - horizon, test_end=n_rows)


SPLITS: dict[str, Cut] = {"fractions": by_fractions, "last": last_horizons}
"""By a name that ``--split`` takes."""


def cut_of(split: str) -> Cut:
    """What ``--split`` asks for: a name in ``SPLITS``, or percentages of the rows as in 60/20/20 (LSTNet's).

    Raises:
        ValueError: it is neither.
    """
    if split in SPLITS:
        return SPLITS[split]
    shares = [int(share) for share in split.split("/") if share.isdecimal()]
    if split != "/".join(map(str, shares)) or len(shares) != 3 or sum(shares) != 100 or 0 in shares:
        raise ValueError(
            f"--split must be {', '.join(SPLITS)}, or percentages of the rows for training, validation and test that add up to "
            f"100, as in 60/20/20, got {split!r}"
        )
    train, _, test = shares
    return partial(by_fractions, train=train / 100, test=test / 100)


FILLS = ("forward", "seasonal", "zero")
"""What may stand for a missing value."""

SHORT_SERIES = ("drop", "pad")
"""What may be done with series that are too short."""
