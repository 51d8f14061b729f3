"""docs/results.md says what its rows say, and says it of every row."""

from __future__ import annotations

import re
from typing import Any

import pytest

from benchmarks.results.page import PAGE, path_of, read_rows, render, verdict
from benchmarks.results.published import MARKS, PUBLISHED
from benchmarks.results.tasks import EPOCHS, TASKS, models
from search_spaces import get, names
from tuner.study.build import load_space
from tuner.study.metrics import METRICS
from tuner.study.schema import defaults_of, keys_of

TASK = TASKS["etth1-96"]
FLOORS = {"closed": (0.3, 0.4), "naive": (1.2, 0.7)}

every_row = pytest.mark.parametrize("row", read_rows(), ids=lambda row: f"{row['model']} on {row['task']}")


def scored(mse: float, mae: float, **more: Any) -> dict[str, Any]:
    return {"lookback": 96, "test": {"mse_scaled": mse, "mae_scaled": mae}, **more}


def row(mse: float, mae: float, model: str = "dlinear", **more: Any) -> dict[str, Any]:
    defaults = defaults_of(model)
    config = {**defaults, **get(model).baseline_config(96, defaults)}
    return {
        "task": TASK.name,
        "model": model,
        "n_slots": 2,
        "seconds": 120,
        "n_trials": {"finished": 3},
        "n_windows": {"validation": 2785, "test": 2785},
        "baseline": scored(0.5, 0.5, epochs=EPOCHS, config=config),
        "best": scored(mse, mae),
        "floors": {name: scored(*values) for name, values in FLOORS.items()},
        **more,
    }


def line_of(model: str, page: str) -> str:
    return next(line for line in page.splitlines() if line.startswith(f"| {model} |"))


def test_the_page_is_what_its_rows_give() -> None:
    assert PAGE.read_text() == render(read_rows())


@every_row
def test_a_row_comes_from_a_commit(row: dict[str, Any]) -> None:
    assert re.fullmatch("[0-9a-f]{40}", row["commit"])


@every_row
def test_a_row_counts_every_window_of_the_test(row: dict[str, Any]) -> None:
    assert path_of(row["model"], TASKS[row["task"]]).exists()
    assert row["n_windows"]["test"] == {"etth1-24": 2857, "etth1-96": 2785, "sample-8": 299}[row["task"]]


@pytest.mark.parametrize(
    ("mse", "mae", "said"),
    [
        (0.2, 0.3, "beats every floor"),
        (0.5, 0.5, "**loses to closed**"),
        (0.2, 0.5, "**loses to closed (mae_scaled)**"),
        (0.3, 0.3, "**loses to closed (mse_scaled)**"),
        (1.5, 0.8, "**loses to closed, naive**"),
    ],
)
def test_a_row_that_loses_to_a_floor_says_so(mse: float, mae: float, said: str) -> None:
    measured = row(mse, mae)
    assert verdict(measured, measured["floors"], TASK) == said
    assert f"| {said} |" in line_of("dlinear", render([row(mse, mae)]))


def test_floors_say_how_many_models_are_under_them_in_both_metrics() -> None:
    page = render([row(0.2, 0.3), row(0.2, 0.5, "nlinear"), row(1.5, 0.3, "fits")])
    assert line_of("closed", page).endswith("| 1 of 3 |")
    assert line_of("naive", page).endswith("| 2 of 3 |")


def test_the_page_counts_the_tuned_models_that_are_better_and_worse_than_their_baselines() -> None:
    page = render(
        [row(0.4, 0.4), row(0.4, 0.5, "nlinear"), row(0.6, 0.6, "fits"), row(0.5, 0.5, "tide"), row(0.1, 0.1, "nhits")]
    )
    assert "Of 5 tuned models 2 are better than their baseline in both metrics, 1 worse in both." in page


def test_a_study_without_a_trial_that_came_to_its_end_says_so_and_is_not_counted() -> None:
    cut = row(0.6, 0.6, "fits", n_trials={"paused": 2})
    cut["best"]["epochs"], cut["baseline"]["epochs"] = 2, 6
    page = render([row(0.4, 0.4), cut])
    assert "| 2 trials, none to its end: tuned for 2 of 10 epochs, baseline for 6, 2 min |" in line_of("fits", page)
    assert "Of 1 tuned models 1 are better than their baseline in both metrics, 0 worse in both. Not among them" in page


def test_what_has_no_row_is_listed_as_not_run() -> None:
    section = render([row(0.2, 0.3)]).partition(f"## {TASK.title}\n")[2].partition("\n## ")[0]
    named = section.partition("Not run: ")[2].partition(".\n")[0].split(", ")
    assert named == [name for name in models() if name != "dlinear"]


def test_a_baseline_trained_by_the_published_recipe_stands_beside_its_score() -> None:
    assert "| 0.375 / 0.399 [R] LTSF-Linear: LTSF-Benchmark.md |" in line_of("dlinear", render([row(0.2, 0.3)]))


@pytest.mark.parametrize(("key", "value"), [("model.kernel", 5), ("data.lookback", 96), ("train.windows_per_epoch", 2048)])
def test_a_baseline_that_departs_from_the_recipe_is_called_reduced_and_says_where(key: str, value: int) -> None:
    reduced = row(0.2, 0.3)
    reduced["baseline"]["config"][key] = value
    page = render([reduced])
    assert "| reduced |" in line_of("dlinear", page)
    assert f"- dlinear: `{key}` {value} for " in page


def test_beside_a_score_whose_recipe_nobody_printed_stands_no_baseline() -> None:
    lstnet = row(0.2, 0.3, "lstnet", task="etth1-24")
    assert "| recipe not printed |" in line_of("lstnet", render([lstnet]))


def test_a_baseline_that_was_cut_short_is_reduced() -> None:
    short = row(0.2, 0.3)
    short["baseline"]["epochs"] = EPOCHS - 1
    assert "- dlinear: `epochs` 9 for 10" in render([short])


def test_rows_that_saw_other_windows_do_not_share_a_table() -> None:
    with pytest.raises(ValueError, match="share windows, nlinear and dlinear of etth1-96 do not"):
        render([row(0.2, 0.3), row(0.2, 0.3, "nlinear", n_windows={"validation": 2785, "test": 2784})])


def test_rows_that_gave_a_floor_another_score_do_not_share_a_table() -> None:
    with pytest.raises(ValueError, match="share naive, nlinear and dlinear of etth1-96 do not"):
        render([row(0.2, 0.3), row(0.2, 0.3, "nlinear", floors={"naive": scored(1.1, 0.7)})])


def test_a_floor_that_later_studies_alone_scored_counts_for_every_row() -> None:
    page = render([row(0.2, 0.3), row(0.2, 0.3, "nlinear", floors={"new": scored(0.1, 0.2)})])
    assert [line_of(name, page).split(" | ")[-2] for name in ("dlinear", "nlinear")] == ["**loses to new**"] * 2
    assert line_of("new", page).endswith("| 0 of 2 |")


@pytest.mark.parametrize(("model", "task"), [key for key, known in PUBLISHED.items() if known.recipe])
def test_a_published_recipe_speaks_of_keys_that_exist(model: str, task: str) -> None:
    keys, recipe = keys_of(model), PUBLISHED[model, task].recipe
    assert recipe
    assert {"data.lookback", "epochs", "train.windows_per_epoch"} <= set(recipe)
    assert [key for key, value in recipe.items() if key != "epochs" and not keys[key].accepts(value)] == []


@pytest.mark.parametrize(
    ("model", "task"), [key for key, known in PUBLISHED.items() if known.recipe and f"{key[0]}_paper" in names()]
)
def test_the_baseline_of_a_space_of_the_papers_size_is_the_published_recipe(model: str, task: str) -> None:
    defaults = defaults_of(model)
    baseline = get(f"{model}_paper").baseline_config(TASKS[task].horizon, defaults)
    assert set(PUBLISHED[model, task].departures({**defaults, **baseline}, epochs=0)) == {"epochs"}


def test_published_scores_are_of_tasks_and_marks_that_exist() -> None:
    assert {task for _, task in PUBLISHED} <= set(TASKS)
    assert {known.mark for known in PUBLISHED.values()} <= set(MARKS)


@pytest.mark.parametrize("model", models())
def test_every_space_can_be_fixed_to_short_series(model: str) -> None:
    task = TASKS["sample-8"]
    assert load_space(model, task.settings(model), task.horizon).fixed["data.lookback"] in (24, 65)


def test_the_metrics_of_tasks_exist_and_are_better_when_lower() -> None:
    assert {METRICS[name].better for task in TASKS.values() for name in task.metrics} == {"lower"}
