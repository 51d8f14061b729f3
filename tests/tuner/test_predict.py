"""What is said about a history that does not suit an exported model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
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


def export(folder: Path, codes: dict[str, str], short_series: str | None = None) -> Path:
    """A network without training, for two shops."""
    path = table(folder / "train.csv", {"a": 60, "b": 50}, codes)
    problem = Problem(dataset=str(path), horizon=3, metric="mae", columns=COLUMNS, short_series=short_series)
    read = read_problem(problem, 8)
    data = read.opened()
    network, *_ = build("dlinear", CONFIG, data, seed=0)
    panel, best = read.panel, folder / "best"
    best.mkdir()
    about = {
        "channels": list(panel.channels),
        "covariates": list(panel.covariate_names),
        "categories": dict(zip(panel.category_names, map(list, panel.categories), strict=True)),
        "frequency": panel.frequency,
    }
    write_json(best / schema.CONFIG, {"config": CONFIG})
    write_json(best / schema.STUDY, {"space": {"model": "dlinear"}, "problem": problem.to_json(), "data": about})
    write_json(best / schema.SCALER, {"series": list(data.series), **data.stages[-1].scalers.to_json()})
    (best / schema.WEIGHTS).write_bytes(save_weights(network.state_dict()))
    return best


def predict(best: Path, data: Path) -> Result:
    return CliRunner().invoke(app, [str(best), "--data", str(data), "--out", str(best.parent / "out.csv")])


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
