"""What is said about a history that does not suit an exported model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from datasets.config import Columns
from search_spaces.base import Config
from tuner.predict import app
from tuner.results import schema
from tuner.results.files import write_json
from tuner.study.problem_data import read_problem
from tuner.study.study import Problem
from tuner.training.network import build, save_weights

CONFIG: Config = {"data.lookback": 8}
COLUMNS = Columns(series_id="shop", target=("sales",), static=("code",))


def table(path: Path, lengths: dict[str, int], codes: dict[str, str], days: int = 0) -> Path:
    lines = [
        f"{np.datetime64('2024-01-01') + days + day},{shop},{day % 7},{codes[shop]}"
        for shop, n in lengths.items()
        for day in range(n)
    ]
    path.write_text("\n".join(["date,shop,sales,code", *lines]) + "\n")
    return path


def export(
    folder: Path,
    codes: dict[str, str],
    short_series: str | None = None,
    model: str = "dlinear",
    **more: bool,
) -> Path:
    """A network without training, for two shops."""
    path = table(folder / "train.csv", {"a": 60, "b": 50}, codes)
    problem = Problem(dataset=str(path), horizon=3, metric="mae", columns=COLUMNS, short_series=short_series, **more)
    read = read_problem(problem, 8)
    data = read.opened()
    network, *_ = build(model, CONFIG, data, seed=0)
    panel, best = read.panel, folder / "best"
    best.mkdir()
    about = {
        "channels": list(panel.channels),
        "covariates": list(panel.covariate_names),
        "categories": dict(zip(panel.category_names, map(list, panel.categories), strict=True)),
        "frequency": panel.frequency,
    }
    write_json(best / schema.CONFIG, {"config": CONFIG})
    write_json(best / schema.STUDY, {"space": {"model": model}, "problem": problem.to_json(), "data": about})
    write_json(best / schema.SCALER, {"series": list(data.series), **data.stages[-1].scalers.to_json()})
    (best / schema.WEIGHTS).write_bytes(save_weights(network.state_dict()))
    return best


def predict(best: Path, data: Path, *more: object) -> Result:
    words = (best, "--data", data, "--out", best.parent / "out.csv", *more)
    return CliRunner().invoke(app, [str(word) for word in words])


WORDS, NUMBERS = {"a": "x1", "b": "07"}, {"a": "1", "b": "7"}


def test_a_category_stays_one_where_the_file_at_hand_holds_numbers_alone(tmp_path: Path) -> None:
    done = predict(export(tmp_path, WORDS), table(tmp_path / "new.csv", {"b": 20}, WORDS))
    assert done.exit_code == 0, done.stderr


def test_a_static_number_that_became_a_word_is_named(tmp_path: Path) -> None:
    done = predict(export(tmp_path, NUMBERS), table(tmp_path / "new.csv", {"a": 20, "b": 20}, {**NUMBERS, "b": "seven"}))
    assert done.exit_code == 2
    assert "static column 'code' must hold numbers as in training, got 'seven' in line 22" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_static_number_that_became_an_unknown_word_is_one_sentence_too(tmp_path: Path) -> None:
    done = predict(export(tmp_path, WORDS), table(tmp_path / "new.csv", {"a": 20}, {"a": "3"}))
    assert done.exit_code == 2
    assert "column 'code' of" in done.stderr
    assert "has '3'; the model knows 07, x1" in done.stderr


@pytest.mark.parametrize("rule", [None, "drop"])
def test_a_series_that_is_too_short_is_named(rule: str | None, tmp_path: Path) -> None:
    done = predict(export(tmp_path, NUMBERS, rule), table(tmp_path / "new.csv", {"b": 5}, NUMBERS))
    assert done.exit_code == 2
    assert "must have 8 rows of each series" in done.stderr
    assert "series 'b' of" in done.stderr
    assert "part of a study: --short-series" in done.stderr


def test_series_that_are_left_out_are_counted_and_some_named(tmp_path: Path) -> None:
    shops = {"a": 20, **{f"c{i}": 4 for i in range(7)}}
    done = predict(export(tmp_path, NUMBERS, "drop"), table(tmp_path / "new.csv", shops, dict.fromkeys(shops, "1")))
    assert done.exit_code == 0, done.stderr
    assert done.stderr == (
        "7 of 8 series are too short for the model and left out, as in the study (--short-series drop): "
        "c0, c1, c2, c3, c4 and 2 more\n"
    )


def test_a_file_with_no_row_to_spare_says_nothing(tmp_path: Path) -> None:
    done = predict(export(tmp_path, NUMBERS, "drop"), table(tmp_path / "new.csv", {"a": 8, "b": 8}, NUMBERS))
    assert (done.exit_code, done.stderr) == (0, "")


def forecast_by(folder: Path, **more: bool) -> tuple[Result, pd.DataFrame]:
    """What a study of such a problem leads to."""
    folder.mkdir()
    done = predict(export(folder, WORDS, **more), table(folder / "new.csv", {"a": 20, "b": 30}, WORDS))
    assert done.exit_code == 0, done.stderr
    return done, pd.read_csv(folder / "out.csv")


def test_of_a_study_of_the_last_step_that_step_alone_is_forecast(tmp_path: Path) -> None:
    _, whole = forecast_by(tmp_path / "all")
    done, alone = forecast_by(tmp_path / "last", last_step_only=True)
    assert "step 3 (the last alone) of 1 channels of 2 series" in done.stdout
    pd.testing.assert_frame_equal(alone, whole.groupby("series").tail(1).reset_index(drop=True))


def test_of_a_study_of_whole_numbers_these_are_forecast(tmp_path: Path) -> None:
    _, as_they_are = forecast_by(tmp_path / "as they are")
    _, rounded = forecast_by(tmp_path / "rounded", whole_numbers=True)
    assert not as_they_are.equals(rounded)
    pd.testing.assert_frame_equal(rounded, as_they_are.round())


def explain(folder: Path, name: str = "weights.csv") -> pd.DataFrame:
    """What a tft without training makes of both shops."""
    best, out = export(folder, WORDS, model="tft"), folder / name
    done = predict(best, table(folder / "new.csv", {"a": 20, "b": 30}, WORDS), "--explain", out)
    assert done.exit_code == 0, done.stderr
    assert f"how the model weighed variables and steps, as the mean over the series: {out}" in done.stdout
    return pd.read_csv(out) if out.suffix == ".csv" else pd.read_parquet(out)


def test_explained_weights_name_every_variable_and_step(tmp_path: Path) -> None:
    weights = explain(tmp_path)
    assert list(weights) == ["kind", "variable", "step", "horizon_step", "weight"]
    calendar = ["weekday", "day_of_month", "day_of_year"]
    by_kind = dict(list(weights.groupby("kind")))
    assert {kind: sorted(set(rows["variable"].dropna())) for kind, rows in by_kind.items()} == {
        "static": ["code"],
        "past": sorted(["sales", *calendar]),
        "future": sorted(calendar),
        "attention": [],
    }
    assert {kind: sorted(set(rows["step"].dropna())) for kind, rows in by_kind.items()} == {
        "static": [],
        "past": list(range(-7, 1)),
        "future": [1, 2, 3],
        "attention": list(range(-7, 4)),
    }
    assert (by_kind["attention"]["step"] <= by_kind["attention"]["horizon_step"]).all()


def test_explained_weights_are_shares(tmp_path: Path) -> None:
    weights = explain(tmp_path, "weights.parquet").fillna({"step": 0, "horizon_step": 0})
    of_steps = weights[weights["kind"] != "attention"].groupby(["kind", "step"])["weight"].sum()
    of_attention = weights[weights["kind"] == "attention"].groupby("horizon_step")["weight"].sum()
    assert np.allclose([*of_steps, *of_attention], 1)


def test_explained_weights_are_the_mean_over_the_series(tmp_path: Path) -> None:
    best, both = export(tmp_path, WORDS, model="tft"), {"a": 20, "b": 30}
    found = []
    for shops in (both, {"a": 20}, {"b": 30}):
        out = tmp_path / f"{len(found)}.csv"
        (tmp_path / "out.csv").unlink(missing_ok=True)
        predict(best, table(tmp_path / "new.csv", shops, WORDS), "--explain", out)
        found.append(pd.read_csv(out)["weight"].to_numpy())
    np.testing.assert_allclose(found[0], (found[1] + found[2]) / 2, rtol=1e-4)
    assert not np.allclose(found[1], found[2])


def test_a_model_that_explains_nothing_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    new = table(tmp_path / "new.csv", {"a": 20}, WORDS)
    done = predict(export(tmp_path, WORDS), new, "--explain", tmp_path / "weights.csv")
    assert done.exit_code == 2
    assert done.stderr == "error: --explain needs a model that says how it weighs its inputs, such as tft; dlinear does not\n"
    assert not list(tmp_path.glob("weights.csv")) + list(tmp_path.glob("out.csv"))


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("weights.txt", "--explain must end in .csv or .parquet"),
        ("new.csv", "--explain must not exist"),
        ("nowhere/weights.csv", "--explain must lie in a folder that exists"),
        ("out.csv", "--explain must be another file than --out"),
    ],
)
def test_a_file_of_weights_that_cannot_be_written_is_refused(name: str, sentence: str, tmp_path: Path) -> None:
    new = table(tmp_path / "new.csv", {"a": 20}, WORDS)
    done = predict(export(tmp_path, WORDS), new, "--explain", tmp_path / name)
    assert done.exit_code == 2
    assert sentence in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out.csv").exists()
