"""What of the data a space may search. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """How one trial sees the data. Nothing here can move a window that is scored."""

    lookback: int = 96
    """Steps of the past that the model sees."""

    def __post_init__(self) -> None:
        if self.lookback < 1:
            raise ValueError(f"data.lookback must be 1 or more, got {self.lookback}")


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

    @classmethod
    def from_fractions(cls, n_rows: int, train: float = 0.7, test: float = 0.2) -> Borders:
        """The field's usual cut: train from the start, test from the end, validation between; fractions of ``n_rows``."""
        return cls(train_end=int(n_rows * train), val_end=n_rows - int(n_rows * test), test_end=n_rows)
