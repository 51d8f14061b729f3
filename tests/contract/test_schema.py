"""What is read from source equals what Python sees when it imports."""

from __future__ import annotations

import inspect
import typing

import pytest

import models
import search_spaces
from tuner.study.schema import check_space, defaults_of, model_keys, source_of, summary_of


@pytest.mark.parametrize("name", models.names())
def test_keys_read_from_source_equal_those_of_the_constructor(name: str) -> None:
    constructor = models.get(name).__init__
    hints = typing.get_type_hints(constructor, localns={"WindowShape": object})
    seen = {
        f"model.{parameter.name}": (hints[parameter.name], parameter.default)
        for parameter in inspect.signature(constructor).parameters.values()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }
    assert {key: (found.annotation, found.default) for key, found in model_keys(name).items()} == seen


@pytest.mark.parametrize("name", search_spaces.names())
@pytest.mark.parametrize("horizon", [1, 24, 336])
def test_a_space_fits_its_model_at_any_horizon(name: str, horizon: int) -> None:
    check_space(search_spaces.get(name), name, horizon)


@pytest.mark.parametrize("name", search_spaces.names())
def test_the_baseline_lies_in_the_space(name: str) -> None:
    space = search_spaces.get(name)
    for horizon in (24, *space.recipes):
        assert not list(space.problems_of(space.baseline_config(horizon, defaults_of(space.model))))


@pytest.mark.parametrize("package", ["models", "search_spaces", "datasets"])
def test_every_plugin_has_a_summary_for_the_list(package: str) -> None:
    for name in __import__(package).names():
        assert 10 <= len(summary_of(source_of(package, name))) <= 128
