from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.windows.lags import lags_of

RECENT = (1, 2, 3, 4, 5, 6, 7)
SEASONS = {  # steps around which lags lie, beyond the last seven
    "s": (60, 120, 180, 3600, 7200, 10800),
    "30s": (120, 240, 360),
    "min": (60, 120, 180, 1440, 2880, 4320, 10080),
    "15min": (8, 12, 96, 192, 288, 672),
    "h": (24, 48, 72, 96, 120, 144, 168, 336, 504),
    "6h": (8, 12, 16, 20, 24, 28, 56, 84),
    "D": (7, 14, 21, 28, 30, 61, 91, 365, 730),
    "B": (10, 15, 20, 22, 43, 65, 261, 522),
    "W-SUN": (9, 13, 52, 104, 157),
    "MS": (12, 24, 36),
    "ME": (12, 24, 36),
    "QS-FEB": (8, 12),
    "YE-DEC": (),
}


@pytest.mark.parametrize("frequency", SEASONS)
def test_lags_are_the_last_seven_and_those_around_whole_seasons(frequency: str) -> None:
    around = {centre + i for centre in SEASONS[frequency] for i in (-1, 0, 1)}
    assert lags_of(frequency) == tuple(sorted(around.union(RECENT)))


def test_monthly_lags_are_known() -> None:
    assert lags_of("MS") == (1, 2, 3, 4, 5, 6, 7, 11, 12, 13, 23, 24, 25, 35, 36, 37)


@given(st.sampled_from(list(SEASONS)), st.integers(1, 800))
def test_a_longest_lag_leaves_out_those_beyond_it(frequency: str, longest: int) -> None:
    assert lags_of(frequency, longest) == tuple(lag for lag in lags_of(frequency) if lag <= longest)
