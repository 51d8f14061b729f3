from __future__ import annotations

import json
import math
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces.base import Choice, Config, Domain, Float, Int, Ordinal, Space, domain_from_json
from tests.search_spaces.sampling import draw

DOMAINS = [
    Float(0.0, 0.5),
    Float(1e-5, 1e-2, log=True),
    Int(1, 4),
    Int(16, 512, log=True, when={"model.kind": "a"}),
    Ordinal(48, 96, 336),
    Choice("none", "last", None, True, when={"model.n_layers": 2, "model.kind": None}),
    Float(0.0, 1.0, when={"model.kind": ("a", None)}),
]
CONDITIONAL = Space(
    "m",
    {"train.optimizer": Choice("adam", "sgd"), "train.momentum": Float(0.1, 0.9, when={"train.optimizer": "sgd"})},
)


@pytest.mark.parametrize("domain", DOMAINS, ids=str)
def test_a_domain_comes_back_from_json(domain: Domain) -> None:
    back = domain_from_json(json.loads(json.dumps(domain.to_json())))
    assert back == domain
    assert dict(back.when) == dict(domain.when)


@pytest.mark.parametrize("domain", DOMAINS, ids=str)
@given(seed=st.integers(0, 1000))
def test_a_domain_contains_what_is_drawn_from_it(domain: Domain, seed: int) -> None:
    assert domain.contains(draw(domain, Random(seed)))


@pytest.mark.parametrize(
    ("domain", "value"),
    [
        (Float(0, 1), 1.1),
        (Float(0, 1), True),
        (Float(0, 1), math.nan),
        (Float(0, 1), "0.5"),
        (Int(1, 3), 2.0),
        (Int(0, 3), True),
        (Ordinal(0, 1), True),
        (Ordinal(1, 3), 2),
        (Choice(True, False), 1),
        (Choice("a", "b"), None),
    ],
)
def test_a_domain_refuses_what_lies_outside(domain: Domain, value: object) -> None:
    assert not domain.contains(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Float(1, 1), "a Float needs finite low < high, got low=1, high=1"),
        (lambda: Float(0, math.inf), "a Float needs finite low < high"),
        (lambda: Float(0, 1, log=True), "a logarithmic Float needs low > 0, got low=0"),
        (lambda: Int(1, 2.5), "an Int needs whole low < high"),  # type: ignore[arg-type]
        (lambda: Int(False, 2), "an Int needs whole low < high"),
        (lambda: Int(0, 9, log=True), "a logarithmic Int needs low > 0"),
        (lambda: Choice("a"), "Choice needs two values or more.*plain value to fix a key"),
        (lambda: Choice("a", "a"), "Choice needs distinct values"),
        (lambda: Ordinal(3, 1), "Ordinal needs numbers in rising order"),
        (lambda: Ordinal("a", "b"), "Ordinal needs numbers in rising order.*use Choice"),
        (lambda: Space("m", {"width": 3}), "a key starts with model., train. or data., got 'width' in the space of m"),
        (lambda: Space("m", {"model.b": Int(1, 2, when={"model.a": 1})}), "model.b depends on model.a.*list before it"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_a_conditional_key_exists_under_its_parents_value_only() -> None:
    assert CONDITIONAL.active("train.momentum", {"train.optimizer": "sgd"})
    assert not CONDITIONAL.active("train.momentum", {"train.optimizer": "adam"})


def test_fixing_a_parent_to_another_value_removes_the_child() -> None:
    assert set(CONDITIONAL.with_fixed({"train.optimizer": "adam"}).search) == {"train.optimizer"}
    assert "train.momentum" in CONDITIONAL.with_fixed({"train.optimizer": "sgd"}).domains


def test_the_baseline_is_recipe_over_baseline_over_default() -> None:
    space = Space(
        "m",
        {"data.lookback": Ordinal(48, 96), "train.learning_rate": Float(0.1, 1), "model.depth": Int(1, 3), "model.fixed": 7},
        baseline={"train.learning_rate": 0.2, "data.lookback": 96, "model.extra": "x"},
        recipes={24: {"data.lookback": 48}},
    )
    defaults = {"data.lookback": 1, "train.learning_rate": 0.9, "model.depth": 2, "model.fixed": 0}
    others = {"train.learning_rate": 0.2, "model.depth": 2, "model.fixed": 7, "model.extra": "x"}
    assert space.baseline_config(24, defaults) == {"data.lookback": 48, **others}
    assert space.baseline_config(25, defaults) == {"data.lookback": 96, **others}


def test_a_value_outside_its_domain_is_named() -> None:
    assert list(CONDITIONAL.problems_of({"train.optimizer": "lion"})) == [
        "train.optimizer must lie in adam | sgd, got 'lion'",
    ]


def test_a_space_cannot_be_changed() -> None:
    with pytest.raises(TypeError):
        CONDITIONAL.search["model.x"] = 1  # type: ignore[index]


WHOLE = Space(
    "m",
    {
        "model.width": Ordinal(8, 16),
        "train.optimizer": Choice("adam", "sgd"),
        "train.momentum": Float(0.5, 0.9, when={"train.optimizer": "sgd"}),
        "train.schedule": "cosine",
    },
    baseline={"model.depth": 3},
)
DEFAULTS: Config = {
    "model.width": 8, "model.depth": 2, "train.optimizer": "adam", "train.momentum": 0.99, "train.schedule": "constant",
}  # fmt: skip


@pytest.mark.parametrize(
    ("config", "inside"),
    [
        ({"train.schedule": "cosine"}, True),
        ({}, False),  # the default of what is fixed to another value
        ({"train.schedule": "cosine", "model.width": 16}, True),
        ({"train.schedule": "cosine", "model.width": 32}, False),
        ({"train.schedule": "cosine", "train.optimizer": "sgd"}, False),  # the default of its momentum lies outside
        ({"train.schedule": "cosine", "train.optimizer": "sgd", "train.momentum": 0.6}, True),
        ({"train.schedule": "cosine", "train.momentum": 5.0}, True),  # inactive
        ({"train.schedule": "cosine", "model.depth": 3}, True),  # the baseline's
        ({"train.schedule": "cosine", "model.depth": 2}, True),  # the default
        ({"train.schedule": "cosine", "model.depth": 4}, False),
        ({"train.schedule": "cosine", "model.no_such": 1}, False),
    ],
)
def test_a_space_contains_the_configs_that_it_could_have_drawn(config: Config, inside: bool) -> None:
    assert WHOLE.contains(config, DEFAULTS) is inside


def test_a_key_may_exist_under_several_values_of_another() -> None:
    search = {
        "train.replay": Choice("none", "random", "exact"),
        "train.size": Int(1, 9, when={"train.replay": ("random", "exact")}),
    }
    space = Space("m", search)
    assert [space.active("train.size", {"train.replay": replay}) for replay in ("none", "random", "exact")] == [
        False,
        True,
        True,
    ]
    assert "train.size" in space.with_fixed({"train.replay": "exact"}).search
    assert "train.size" not in space.with_fixed({"train.replay": "none"}).search


NESTED = Space(
    "m",
    {
        "model.a": Choice("x", "y"),
        "model.b": Choice("p", "q", when={"model.a": "x"}),
        "model.c": Int(1, 2, when={"model.b": "p"}),
    },
)


def test_where_a_key_goes_the_keys_that_depend_on_it_go_too() -> None:
    assert list(NESTED.with_fixed({"model.a": "y"}).search) == ["model.a"]
    assert list(NESTED.with_fixed({"model.a": "x"}).search) == ["model.a", "model.b", "model.c"]


def test_a_key_under_one_that_does_not_exist_does_not_exist() -> None:
    assert NESTED.contains({"model.a": "y"}, {"model.a": "x", "model.b": "p", "model.c": 9})
    assert not NESTED.contains({"model.a": "x"}, {"model.a": "x", "model.b": "p", "model.c": 9})
