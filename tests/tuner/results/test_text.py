from __future__ import annotations

import pytest

from tuner.results import text


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.28852, "0.2885"),
        (12.3456, "12.35"),
        (1013.25, "1013"),
        (123456.0, "123,456"),
        (1e-6, "1.000e-06"),
        (0, "0"),
        (None, "-"),
    ],
)
def test_numbers_have_four_significant_digits(value: float | None, words: str) -> None:
    assert text.number(value) == words


@pytest.mark.parametrize(("seconds", "words"), [(7.4, "0:07"), (723, "12:03"), (3723, "1:02:03"), (None, "-")])
def test_a_clock_reads_as_one(seconds: float | None, words: str) -> None:
    assert text.clock(seconds) == words


@pytest.mark.parametrize(
    ("metric", "value", "reference", "words"),
    [
        ("mse_scaled", 88, 100, "12 % lower than the rest"),
        ("mse_scaled", 100.3, 100, "0.3 % higher than the rest"),
        ("mse_scaled", 1, 1, "the same as the rest"),
        ("mse_scaled", 0.99999, 1, "less than 0.1 % lower than the rest"),
        ("corr", 0.5, 0.4, "25 % higher than the rest"),
        ("corr", 0.5, -0.2, "0.7000 higher than the rest"),
        ("loss", -2.0, -1.5, "0.5000 lower than the rest"),
        ("coverage_80", 0.75, 0.6, "0.1500 closer to 0.8 than the rest"),
        ("coverage_80", 0.95, 0.7, "0.05000 farther from 0.8 than the rest"),
        ("coverage_80", 0.75, 0.85, "the same as the rest"),
    ],
)
def test_a_value_is_compared_in_words(metric: str, value: float, reference: float, words: str) -> None:
    assert text.compared(metric, value, reference, "the rest") == words
