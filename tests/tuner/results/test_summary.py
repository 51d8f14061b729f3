from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from tests.tuner.results.runs import BASELINE, STUDY, add_trial, full_store, new_store, score
from tuner.results.schema import Standing
from tuner.results.store import RunStore
from tuner.results.summary import Grid, blocks, markdown, render, summarise, write_summary
from tuner.study.trial import State


def _text(store: RunStore) -> str:
    return markdown(summarise(store))


def _grid(store: RunStore, title: str) -> list[tuple[str, ...]]:
    found = [block for block in blocks(summarise(store)) if isinstance(block, Grid) and block.title.startswith(title)]
    return list(found[0].lines)


def test_it_says_what_was_tuned(tmp_path: Path) -> None:
    assert "informer on nyc_airports, horizon 24, ranked by mse_scaled" in _text(full_store(tmp_path / "run"))


def test_it_counts_trials_by_state(tmp_path: Path) -> None:
    assert "4 trials of 4: 2 finished, 1 stopped, 1 infeasible." in _text(full_store(tmp_path / "run"))


def test_it_compares_time_in_training_with_wall_time(tmp_path: Path) -> None:
    store = full_store(tmp_path / "run")
    assert "21 s of training and scoring in 31 s of wall time" in _text(store)


def test_the_best_is_compared_with_the_baseline(tmp_path: Path) -> None:
    line = "Best is trial 1: mse_scaled 0.2000 on validation, 2 epochs, 50 % lower than the baseline (0.4000)."
    assert line in _text(full_store(tmp_path / "run"))


def test_a_trial_whose_weights_are_gone_is_not_the_best_and_is_named(tmp_path: Path) -> None:
    store = full_store(tmp_path / "run")
    store.prune(1)
    text = _text(store)
    assert "Scored better, but their weights were removed for others to have space: trials 1." in text
    assert "Best is trial 1" not in text


def test_only_the_keys_that_differ_are_set_against_the_baseline(tmp_path: Path) -> None:
    assert _grid(full_store(tmp_path / "run"), "The best config") == [
        ("model.width", "64", "128", "64 | 128"),
        ("train.learning_rate", "0.0001", "0.002", "1e-05 to 0.01, log"),
    ]


def test_a_key_that_only_one_config_has_differs(tmp_path: Path) -> None:
    store = new_store(tmp_path / "run")
    add_trial(store, [0.5], State.FINISHED)
    add_trial(store, [0.3], State.FINISHED, train__momentum=0.9)
    assert _grid(store, "The best config") == [("train.momentum", "-", "0.9", "")]


def test_a_baseline_that_nothing_beat_is_said_to_be_the_best(tmp_path: Path) -> None:
    store = new_store(tmp_path / "run")
    add_trial(store, [0.2], State.FINISHED)
    add_trial(store, [0.3], State.FINISHED)
    assert "It is the baseline: no other config was better." in _text(store)


def test_rungs_show_who_came_and_who_was_stopped(tmp_path: Path) -> None:
    assert _grid(full_store(tmp_path / "run"), "Stopped early") == [("1", "4", "1"), ("3", "1", "0")]


def test_an_infeasible_baseline_leaves_no_yardstick(tmp_path: Path) -> None:
    store = new_store(tmp_path / "run")
    add_trial(store, [], State.INFEASIBLE, note="Diverged: nan")
    add_trial(store, [0.3], State.FINISHED)
    assert "There is no yardstick: the baseline (trial 0) was infeasible (Diverged: nan)." in _text(store)


def test_a_study_without_trials_has_a_summary(tmp_path: Path) -> None:
    assert "0 trials of 4: none yet." in _text(new_store(tmp_path / "run"))


def test_a_running_study_says_so(tmp_path: Path) -> None:
    store = new_store(tmp_path / "run")
    store.config(0, BASELINE, seed=7)
    store.begin(0)
    assert "The study is still running, or was cut off" in _text(store)
    assert "No trial has a value yet." in _text(store)


def test_failed_trials_show_the_first_reason(tmp_path: Path) -> None:
    store = new_store(tmp_path / "run")
    add_trial(store, [0.3], State.FINISHED)
    add_trial(store, [], State.FAILED, note="KeyError: 'a' (x.py:1)")
    assert "1 trial failed, the first with: KeyError: 'a' (x.py:1)." in _text(store)


def test_every_forecaster_is_scored_with_its_lookback_and_windows(tmp_path: Path) -> None:
    store = full_store(tmp_path / "run")
    store.write_scores([score("best", 0.3), score("naive", 0.5)])
    assert _grid(store, "mse_scaled") == [
        ("best", "96", "0.3000", "100", "0.3000", "200"),
        ("naive", "96", "0.5000", "100", "0.5000", "200"),
    ]


def test_channels_are_set_against_the_best_floor(tmp_path: Path) -> None:
    store = full_store(tmp_path / "run")
    store.write_scores(
        [
            score(who, value, by_channel={"mae": {"temp": value, "wind": value}})
            for who, value in (("best", 0.3), ("naive", 0.5), ("linear", 0.4))
        ]
    )
    assert _grid(store, "Mean absolute error") == [("temp", "0.3000", "0.4000"), ("wind", "0.3000", "0.4000")]


def _errors(who: str, first: float, n_channels: int = 2, n_steps: int = 8) -> Standing:
    """The k-th channel has the error first + k, the k-th step first + 10 k; absolute errors are 100 higher."""
    channels = {f"c{k}": first + k for k in range(n_channels)}
    steps: list[float | None] = [first + 10 * k for k in range(n_steps)]
    return score(
        who,
        0.3,
        by_channel={"mse_scaled": channels, "mae_scaled": {name: value + 100 for name, value in channels.items()}},
        by_step={"mse_scaled": steps, "mae_scaled": [value + 100 for value in steps if value is not None]},
    )


def test_each_channel_shows_the_scaled_errors_of_best_and_baseline(tmp_path: Path) -> None:
    store = full_store(tmp_path / "run")
    store.write_scores([_errors("best", 1), _errors("baseline", 5), _errors("naive", 9)])
    assert _grid(store, "Scaled errors on test by channel") == [
        ("c0", "1.000", "5.000", "101.0", "105.0"),
        ("c1", "2.000", "6.000", "102.0", "106.0"),
    ]
    assert "|  | mse best | mse baseline | mae best | mae baseline |" in _text(store)


def test_each_quarter_of_the_horizon_shows_the_mean_error_of_its_steps(tmp_path: Path) -> None:
    store = full_store(tmp_path / "run")
    store.write_scores([_errors("best", 1), _errors("baseline", 5)])
    assert _grid(store, "Scaled errors on test by block") == [
        ("steps 1 to 2", "6.000", "10.00", "106.0", "110.0"),
        ("steps 3 to 4", "26.00", "30.00", "126.0", "130.0"),
        ("steps 5 to 6", "46.00", "50.00", "146.0", "150.0"),
        ("steps 7 to 8", "66.00", "70.00", "166.0", "170.0"),
    ]


@pytest.mark.parametrize(
    ("n_steps", "spans"),
    [
        (6, ["steps 1 to 2", "step 3", "steps 4 to 5", "step 6"]),
        (3, ["step 1", "step 2", "step 3"]),
        (25, ["steps 1 to 7", "steps 8 to 13", "steps 14 to 19", "steps 20 to 25"]),
    ],
)
def test_a_horizon_that_does_not_divide_has_blocks_that_differ_by_a_step(
    tmp_path: Path, n_steps: int, spans: list[str]
) -> None:
    store = full_store(tmp_path / "run")
    store.write_scores([_errors("best", 1, n_steps=n_steps)])
    assert [line[0] for line in _grid(store, "Scaled errors on test by block")] == spans


def test_a_block_with_a_step_without_a_value_has_none(tmp_path: Path) -> None:
    store = full_store(tmp_path / "run")
    store.write_scores([score("best", 0.3, by_step={"mse_scaled": [1.0, None, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]})])
    assert [line[1] for line in _grid(store, "Scaled errors on test by block")] == ["-", "3.500", "5.500", "7.500"]


def test_where_the_last_step_alone_counts_there_are_no_blocks_and_the_head_says_so(tmp_path: Path) -> None:
    store = full_store(tmp_path / "run")
    store.write_study({**STUDY, "problem": {**STUDY["problem"], "last_step_only": True}})
    store.write_scores([score("best", 0.3, by_step={"mse_scaled": [*[None] * 7, 8.0]})])
    assert "by block of the horizon" not in _text(store)
    assert "horizon 24 (its last step alone), ranked by" in _text(store)


def test_the_head_says_that_forecasts_were_rounded(tmp_path: Path) -> None:
    store = full_store(tmp_path / "run")
    store.write_study({**STUDY, "problem": {**STUDY["problem"], "whole_numbers": True}})
    assert "horizon 24, forecasts rounded to whole numbers, ranked by" in _text(store)


@pytest.mark.parametrize(("n_series", "shown"), [(1, ["mase"]), (3, ["mase", "mase_median"])])
def test_medians_over_series_are_shown_where_there_are_several(tmp_path: Path, n_series: int, shown: list[str]) -> None:
    store = full_store(tmp_path / "run")
    data = {"n_rows": 9, "channels": ["a"], "n_series": n_series, "n_series_read": n_series, "validation": []}
    store.write_study({**STUDY, "data": data})
    metrics = {"mse_scaled": 0.3, "mase": 1.0, "mase_median": 0.9}
    store.write_scores([replace(score("best", 0.3), metrics={"validation": metrics, "test": metrics})])
    assert [line[0] for line in _grid(store, "Other metrics on test")] == shown


def test_m4s_owa_is_the_mean_of_smape_and_mase_over_those_of_naive_2(tmp_path: Path) -> None:
    store = full_store(tmp_path / "run")
    for floor, shown in (("naive2", [("owa", "0.6500", "1.000")]), ("theta", [])):
        errors = {"best": {"smape": 0.2, "mase": 1.0}, floor: {"smape": 0.25, "mase": 2.0}}
        scores = {who: {"mse_scaled": 0.3, **metrics} for who, metrics in errors.items()}
        store.write_scores([replace(score(who, 0.3), metrics={"validation": m, "test": m}) for who, m in scores.items()])
        assert [line for line in _grid(store, "Other metrics on test") if line[0] == "owa"] == shown


def test_owa_compares_with_naive_2_where_another_floor_is_shown(tmp_path: Path) -> None:
    store = full_store(tmp_path / "run")
    errors = {"best": {"smape": 0.2, "mase": 1.0}, "naive2": {"smape": 0.25, "mase": 2.0}, "theta": {"smape": 0.2, "mase": 1.8}}
    costs = {"best": 0.3, "naive2": 0.5, "theta": 0.4}
    scores = {who: {"mse_scaled": costs[who], **metrics} for who, metrics in errors.items()}
    store.write_scores([replace(score(who, 0.3), metrics={"validation": m, "test": m}) for who, m in scores.items()])
    assert [line for line in _grid(store, "Other metrics on test") if line[0] == "owa"] == [("owa", "0.6500", "0.8500")]


def test_many_channels_are_cut_and_the_title_says_so(tmp_path: Path) -> None:
    store = full_store(tmp_path / "run")
    store.write_scores([_errors("best", 1, n_channels=21)])
    lines = _grid(store, "Scaled errors on test by channel, the first 20 of 21")
    assert [line[0] for line in lines] == [f"c{k}" for k in range(20)]


def test_one_channel_and_one_step_have_no_tables_of_tasks(tmp_path: Path) -> None:
    store = full_store(tmp_path / "run")
    store.write_scores([_errors("best", 1, n_channels=1, n_steps=1)])
    assert "Scaled errors" not in _text(store)


@pytest.mark.parametrize(
    ("baseline", "floor", "sentence"),
    [
        (
            0.4,
            0.264,
            "linear beats the tuned model on test (mse_scaled 0.2640 against 0.3000, 12 % lower): use it, or search longer.",
        ),
        (
            0.27,
            0.5,
            "The baseline beats the tuned model on test (mse_scaled 0.2700 against 0.3000, 10 % lower): search longer.",
        ),
        (
            0.4,
            0.5,
            "On test, the tuned model's mse_scaled is 25 % lower than the baseline's and 40 % lower than that of",
        ),
    ],
)
def test_the_verdict_names_the_winner_on_test(tmp_path: Path, baseline: float, floor: float, sentence: str) -> None:
    store = full_store(tmp_path / "run")
    store.write_scores([score("best", 0.3), score("baseline", baseline), score("linear", floor), score("naive", 0.9)])
    assert sentence in _text(store)


def test_a_search_misled_by_one_window_a_series_is_told_of_folds(tmp_path: Path) -> None:
    store, one = full_store(tmp_path / "run"), {"validation": 1, "test": 200}
    store.write_scores([replace(score("best", 0.3), n_windows=one), replace(score("baseline", 0.2), n_windows=one)])
    assert "let more than one window a series choose, by --folds" in _text(store)


def test_scores_over_different_windows_are_not_compared(tmp_path: Path) -> None:
    store = full_store(tmp_path / "run")
    store.write_scores([score("best", 0.3), score("naive", 0.2, n_test=199)])
    assert "over different windows and cannot be compared" in _text(store)
    assert "beats" not in _text(store)


def test_the_rendered_summary_fits_80_columns_without_loss(tmp_path: Path) -> None:
    store = full_store(tmp_path / "run")
    names = ("best", "baseline", "linear_closed_form", "seasonal_naive", "naive")
    store.write_scores([score(who, 1234.5678, by_channel={"mae": {"wind_speed": 1.0}}, note="period 24") for who in names])
    console = Console(file=io.StringIO(), width=80)
    console.print(render(summarise(store)))
    printed = console.file.getvalue()  # type: ignore[attr-defined]
    assert max(map(len, printed.splitlines())) <= 80
    assert "…" not in printed
    assert "linear_closed_form        96        1235      100  1235      200" in printed


def test_a_long_value_is_folded_and_not_cut(tmp_path: Path) -> None:
    store = new_store(tmp_path / "run")
    add_trial(store, [0.5], State.FINISHED)
    add_trial(store, [0.4], State.FINISHED, train__optimizer="Z" * 99)
    console = Console(file=io.StringIO(), width=80)
    console.print(render(summarise(store)))
    assert console.file.getvalue().count("Z") == 99  # type: ignore[attr-defined]


def test_a_bar_in_a_cell_does_not_break_the_markdown_table(tmp_path: Path) -> None:
    assert "| model.width | 64 | 128 | 64 \\| 128 |" in write_summary(full_store(tmp_path / "run")).read_text()
