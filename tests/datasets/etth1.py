"""The folder that holds ETTh1.csv, for tests that need the real one: the licence does not let us commit it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def etth1_folder() -> Path:
    """$TUNER_DATA, else ../shared/data beside the checkout. Skips the test if the file is in neither."""
    folder = Path(os.environ.get("TUNER_DATA") or Path(__file__).parents[3] / "shared" / "data")
    if not (folder / "ETTh1.csv").is_file():
        pytest.skip(f"ETTh1.csv is not in {folder}; set TUNER_DATA to its folder")
    return folder
