from __future__ import annotations

import math
from collections import Counter

from cluster.samplers import get
from search_spaces.base import Choice, Float, Int, Space

SPACE = Space(
    "m",
    {
        "model.norm": Choice("none", "last", "revin", "mean"),
        "model.decay": Float(0.0, 1.0, when={"model.norm": "revin"}),
        "train.weight_decay": Float(0.0, 1.0),
    },
)


def test_sixteen_points_fall_in_sixteen_parts_of_each_range() -> None:
    sampler = get("qmc")(SPACE, 4)
    parts = {int(16 * float(str(sampler.ask(number)["train.weight_decay"]))) for number in range(16)}
    assert parts == set(range(16))


def test_choices_come_equally_often() -> None:
    sampler = get("qmc")(SPACE, 4)
    assert set(Counter(sampler.ask(number)["model.norm"] for number in range(16)).values()) == {4}


def test_whole_numbers_have_the_share_of_their_interval_in_the_logarithm() -> None:
    sampler = get("qmc")(Space("m", {"model.n_layers": Int(1, 3, log=True)}), 4)
    ones = sum(sampler.ask(number)["model.n_layers"] == 1 for number in range(64))
    assert abs(ones - 64 * math.log(1.5 / 0.5) / math.log(3.5 / 0.5)) < 1


def test_an_inactive_key_does_not_move_the_others() -> None:
    never = Space("m", {**SPACE.search, "model.norm": Choice("a", "b", "c", "d")})
    open_, narrow = get("qmc")(SPACE, 4), get("qmc")(never, 4)
    key = "train.weight_decay"
    assert [open_.ask(number)[key] for number in range(8)] == [narrow.ask(number)[key] for number in range(8)]


def test_a_proposal_does_not_depend_on_those_before() -> None:
    asked = get("qmc")(SPACE, 4)
    for number in range(1, 9):
        asked.ask(number)
    assert asked.ask(9) == get("qmc")(SPACE, 4).ask(9)
