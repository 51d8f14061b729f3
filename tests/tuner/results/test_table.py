from __future__ import annotations

import csv
from pathlib import Path

from tests.tuner.results.runs import BASELINE, full_store, new_store
from tuner.results.table import write_table


def _lines(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_line_of_the_table_is_a_trial(tmp_path: Path) -> None:
    first, second, *_ = _lines(write_table(full_store(tmp_path / "run")))
    assert (first["number"], first["state"], first["epochs"], first["value"]) == ("0", "finished", "3", "0.4")
    assert (second["model.width"], second["train.windows_per_epoch"]) == ("128", "none")


def test_the_table_has_every_key_of_any_config(tmp_path: Path) -> None:
    store = new_store(tmp_path / "run")
    store.config(0, BASELINE, seed=7)
    store.config(1, {"train.momentum": 0.9}, seed=7)
    first, second = _lines(write_table(store))
    assert [*first][-7:] == [*BASELINE, "train.momentum"]
    assert (first["train.momentum"], second["train.momentum"], second["model.width"]) == ("", "0.9", "")
