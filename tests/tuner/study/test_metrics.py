from __future__ import annotations

import pytest

from tuner.study.metrics import METRICS, cost, rank

BETTER_AND_WORSE = {"mse_scaled": (0.1, 0.2), "corr": (0.9, -0.9), "coverage_80": (0.82, 0.5), "coverage_95": (0.93, 1.0)}


@pytest.mark.parametrize(("metric", "values"), BETTER_AND_WORSE.items())
def test_the_better_value_costs_less(metric: str, values: tuple[float, float]) -> None:
    assert cost(metric, values[0]) < cost(metric, values[1])


def test_more_coverage_than_asked_for_costs_as_much_as_too_little() -> None:
    assert cost("coverage_80", 0.9) == pytest.approx(cost("coverage_80", 0.7))
    assert cost("coverage_80", 0.8) == 0


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_is_known_by_its_name_unit_and_source(name: str) -> None:
    metric = METRICS[name]
    assert metric.name == name
    assert metric.unit in ("scaled", "original", "none")
    assert name.endswith("_scaled") == (metric.unit == "scaled")
    assert metric.formula
    assert metric.source


def test_which_way_is_better_is_said_in_words() -> None:
    words = [METRICS[name].way for name in ("mae", "corr", "coverage_95")]
    assert words == ["lower is better", "higher is better", "best at 0.95"]


def test_two_bad_folds_do_not_make_a_good_one() -> None:
    bad, fair = {"a": 0.6, "b": 1.0}, {"a": 0.7, "b": 0.8}
    assert rank("coverage_80", {"coverage_80": 0.8}, bad) == pytest.approx(0.2)
    assert rank("coverage_80", {"coverage_80": 0.75}, fair) == pytest.approx(0.05)


@pytest.mark.parametrize(("metric", "expected"), [("mse_scaled", 0.4), ("corr", -0.4)])
def test_costs_of_folds_average_as_their_values_do(metric: str, expected: float) -> None:
    assert rank(metric, {metric: 0.4}, {"a": 0.3, "b": 0.5}) == pytest.approx(expected)
    assert rank(metric, {metric: 0.4}, {}) == expected
