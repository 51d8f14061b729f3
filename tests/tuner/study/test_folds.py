"""Borders that one study wrote and another reads."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datasets.config import Borders
from datasets.windows.splits import chained_stages, final_test, rolling_folds
from tests.datasets.panels import make_panel
from tuner.study.folds import folds_record, read_folds

PANEL = make_panel((100, 90))
BORDERS = [Borders(train_end=60, val_end=70, test_end=80)] * 2
VALIDATION, TEST = rolling_folds(BORDERS, 3), final_test(BORDERS)


def written(folder: Path, **changes: Any) -> Path:
    path = folder / "study.json"
    path.write_text(json.dumps({"data": {**folds_record(PANEL, VALIDATION, TEST), **changes}}))
    return path


def test_borders_come_back_as_they_were(tmp_path: Path) -> None:
    validation, test = read_folds(written(tmp_path), PANEL)
    assert [split.name for split in validation] == ["fold_1", "fold_2", "fold_3"]
    for before, after in zip((*VALIDATION, TEST), (*validation, test), strict=True):
        np.testing.assert_array_equal(before.train, after.train)
        np.testing.assert_array_equal(before.score, after.score)


def test_borders_of_other_series_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="its series are not those of the data"):
        read_folds(written(tmp_path), replace(PANEL, series=("x", "y")))


def test_training_on_rows_that_are_scored_is_refused(tmp_path: Path) -> None:
    stage = {"name": "late", "train": [[0, 75], [0, 75]], "score": [[70, 80], [70, 80]]}
    with pytest.raises(ValueError, match=r"train before it scores.*0:75.*70:80.*'s0' in stage late"):
        read_folds(written(tmp_path, validation=[stage]), PANEL)


def test_rows_beyond_the_data_are_refused(tmp_path: Path) -> None:
    stage = {"name": "long", "train": [[0, 60], [0, 60]], "score": [[60, 100], [60, 100]]}
    with pytest.raises(ValueError, match="within the 90 rows"):
        read_folds(written(tmp_path, validation=[stage]), PANEL)


def stage(name: str, end: int, start: int, stop: int) -> dict[str, Any]:
    return {"name": name, "train": [[0, end]] * 2, "score": [[start, stop]] * 2}


def test_a_test_on_rows_that_validate_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="after all that validate, got the test from row 65 of 's0' where one scores up to 70"):
        read_folds(written(tmp_path, validation=[stage("one", 60, 60, 70)], test=stage("test", 60, 65, 80)), PANEL)


def test_stages_out_of_order_are_refused(tmp_path: Path) -> None:
    stages = [stage("one", 60, 60, 70), stage("two", 50, 50, 60)]
    with pytest.raises(ValueError, match="in the order of time, got two scored from row 50 of 's0' after one from 60"):
        read_folds(written(tmp_path, validation=stages, test=stage("test", 50, 70, 80)), PANEL)


@pytest.mark.parametrize("content", ["", "[]", '{"data": {}}', '{"validation": 3}'])
def test_another_file_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text(content)
    with pytest.raises(ValueError, match=r"must be the study\.json of a run"):
        read_folds(tmp_path / "other.json", PANEL)


@pytest.mark.parametrize(("chained", "n_chained"), [(True, None), (False, 3), (True, 2)])
def test_borders_of_another_protocol_are_refused(chained: bool, n_chained: int | None, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="--folds-file is for --protocol"):
        read_folds(written(tmp_path, chained=chained), PANEL, n_chained)


STAGES = chained_stages(BORDERS, 3, 2)


def test_stages_in_turn_come_back_as_they_were(tmp_path: Path) -> None:
    record = folds_record(PANEL, STAGES, replace(TEST, train=STAGES[-1].train), chained=True)
    validation, _ = read_folds(written(tmp_path, **record), PANEL, 3)
    for before, after in zip(STAGES, validation, strict=True):
        np.testing.assert_array_equal(before.train, after.train)
        np.testing.assert_array_equal(before.score, after.score)


def test_a_stage_that_trains_on_what_an_earlier_one_scores_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no stage train on rows that an earlier one scores, got fold_2 from row 0"):
        read_folds(written(tmp_path, chained=True), PANEL, 3)
