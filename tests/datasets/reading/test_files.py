from __future__ import annotations

from pathlib import Path

import pytest

from datasets.config import Columns
from datasets.reading.files import read_file

TABLE = "id,date,y\n" + "".join(f"a,2024-01-0{day},{day}\n" for day in range(1, 6))
TSF = "@attribute id string\n@attribute start_timestamp date\n@frequency daily\n@data\na:2024-01-01:1,2,3,4,5\n"


@pytest.mark.parametrize(("name", "text"), [("f.csv", TABLE), ("F.CSV", TABLE), ("f.tsf", TSF), ("F.TSF", TSF)])
def test_a_file_is_read_by_how_its_name_ends(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    panel = read_file(tmp_path / name, Columns(series_id="id"))
    assert (panel.series, panel.frequency, panel.values[:, 0].tolist()) == (("a",), "D", [1, 2, 3, 4, 5])


@pytest.mark.parametrize(("name", "got"), [("f.xlsx", ".xlsx"), ("f", "no suffix")])
def test_another_suffix_is_an_error_that_lists_those_that_are_read(tmp_path: Path, name: str, got: str) -> None:
    with pytest.raises(ValueError, match=rf"{name}: a data file is one of .csv, .csv.gz, .parquet, .tsf, got '{got}'; convert"):
        read_file(tmp_path / name)
