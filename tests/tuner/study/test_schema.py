from __future__ import annotations

from typing import Literal

import pytest

from search_spaces.base import Choice, Float, Space
from tuner.study.schema import Key, check_space, did_you_mean, parse_value


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        (int, "3", 3),
        (float, "1e-3", 1e-3),
        (float, "2", 2.0),
        (bool, "true", True),
        (int | None, "none", None),
        (str, "7", "7"),
        (Literal["a", "none"], "none", "none"),
    ],
)
def test_a_setting_is_read_as_its_keys_type(annotation: type, text: str, value: object) -> None:
    found = parse_value(Key("train.x", annotation, None), text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(("annotation", "text"), [(int, "1.5"), (float, "fast"), (bool, "1"), (Literal["a", "b"], "c")])
def test_a_setting_of_the_wrong_type_names_key_and_type(annotation: type, text: str) -> None:
    with pytest.raises(ValueError, match=r"train\.x must be .*, got"):
        parse_value(Key("train.x", annotation, None), text)


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    assert did_you_mean("infomer", ["informer", "dlinear"], "model").startswith(
        "no model is named 'infomer'; did you mean 'informer'?"
    )


def test_a_space_with_an_unknown_key_is_refused() -> None:
    with pytest.raises(LookupError, match=r"did you mean 'train.learning_rate'"):
        check_space(Space("dlinear", {"train.learning_rat": Float(0.1, 0.2)}), "my_space", 24)


def test_a_space_with_values_of_another_type_is_refused() -> None:
    with pytest.raises(ValueError, match=r"data\.lookback must be a whole number, got 'long'"):
        check_space(Space("dlinear", {"data.lookback": Choice(96, "long")}), "my_space", 24)


def test_a_baseline_outside_the_space_is_refused() -> None:
    with pytest.raises(ValueError, match="the baseline must lie inside the space"):
        check_space(Space("dlinear", {"train.learning_rate": Float(0.1, 0.2)}), "my_space", 24)
