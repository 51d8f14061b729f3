from __future__ import annotations

from tuner.study.seeds import derive


def test_seeds_are_the_same_everywhere() -> None:
    assert [derive(0), derive(0, "trial", 0), derive(1, "step", 1200)] == [872845860, 1054778910, 740440317]


def test_owners_have_seeds_of_their_own() -> None:
    seeds = {derive(seed, owner, number) for seed in range(5) for owner in ("a", "b") for number in range(100)}
    assert len(seeds) == 1000


def test_a_number_is_no_word() -> None:
    assert derive(0, 1) != derive(0, "1")
