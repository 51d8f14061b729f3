from __future__ import annotations

import hashlib
from typing import cast

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from torch import Tensor

from models.heads import draws as module
from models.heads.draws import Draws, window_keys

INT64 = 2**63


def drawn(seed: int, windows: list[int] | range, *size: int) -> Tensor:
    return Draws(seed, torch.tensor(list(windows))).uniform(*size)


def test_numbers_are_uniform() -> None:
    assert stats.kstest(drawn(0, range(40), 1000).flatten().numpy(), "uniform").pvalue > 0.01


def test_normal_numbers_are_normal() -> None:
    normal = Draws(0, torch.arange(40)).normal(1000)
    assert stats.kstest(normal.flatten().numpy(), "norm").pvalue > 0.01


@pytest.mark.parametrize(("bits", "number"), [(0, 0.5 / 2**23), (-1, 1 - 0.5 / 2**23)])
def test_the_least_and_the_greatest_number_lie_inside(bits: int, number: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_mix", lambda numbers: torch.full_like(numbers, bits))
    assert drawn(0, [3], 1).item() == number
    assert torch.isfinite(Draws(0, torch.tensor([3])).normal(1)).all()


def test_neighbouring_windows_seeds_and_places_share_nothing() -> None:
    numbers = torch.cat([drawn(seed, range(30), 2000) for seed in (0, 1)])
    correlations = torch.corrcoef(torch.cat([numbers, numbers.roll(1, 1)])).fill_diagonal_(0).abs()
    assert correlations.max() < 6 / 2000**0.5
    assert stats.kstest((numbers[:30] + numbers[30:]).flatten().numpy(), stats.triang(0.5, 0, 2).cdf).pvalue > 0.01


@given(
    seed=st.integers(-INT64, INT64 - 1),
    windows=st.lists(st.integers(-INT64, INT64 - 1), min_size=1, max_size=5),
    place=st.integers(0, 4),
)
def test_what_a_window_gets_depends_on_itself_and_the_seed_alone(seed: int, windows: list[int], place: int) -> None:
    place %= len(windows)
    together, alone = Draws(seed, torch.tensor(windows)), Draws(seed, torch.tensor(windows[place : place + 1]))
    for size in ((3,), (2, 4)):
        assert torch.equal(together.uniform(*size)[place], alone.uniform(*size)[0])
    assert torch.equal(together.levels(7, 2)[place], alone.levels(7, 2)[0])


def test_a_call_goes_on_where_the_last_one_ended() -> None:
    draws = Draws(5, torch.arange(3))
    assert torch.equal(torch.cat([draws.uniform(4), draws.uniform(6)], 1), drawn(5, range(3), 10))


@given(n_paths=st.integers(1, 50), steps=st.integers(1, 4), channels=st.integers(1, 3), seed=st.integers(0, 99))
def test_levels_are_the_middles_of_equal_parts_for_each_value(n_paths: int, steps: int, channels: int, seed: int) -> None:
    levels = Draws(seed, torch.arange(2)).levels(n_paths, steps, channels)
    middles = (torch.arange(n_paths) + 0.5) / n_paths
    assert torch.equal(levels.sort(1).values, middles.view(1, -1, 1, 1).expand(2, -1, steps, channels))


def test_the_values_of_a_path_are_independent() -> None:
    levels = Draws(0, torch.arange(1)).levels(4000, 6)[0]
    correlations = torch.corrcoef(levels.T).fill_diagonal_(0).abs()
    assert cast(float, correlations.max().item()) < 5 / 4000**0.5


def test_the_key_of_a_window_is_that_of_its_series_name_and_row_whatever_lies_around_it() -> None:
    among = window_keys(("a", "b", "c"), np.array([0, 1, 1, 2]), np.array([5, 5, 6, 5]))
    alone = window_keys(("b",), np.array([0, 0]), np.array([5, 6]))
    assert len({*among.tolist()}) == 4
    assert np.array_equal(among[1:3], alone)
    assert alone[0] == np.frombuffer(hashlib.blake2b(b"b", digest_size=8).digest(), "<i8")[0] + 5
