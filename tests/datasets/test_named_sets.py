from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import datasets
from datasets.base import Panel
from datasets.config import Borders, Columns
from datasets.windows.prepare import hash_panel, prepare
from datasets.windows.prepared import PreparedData
from datasets.windows.splits import final_test, holdout
from datasets.windows.windowing import score_origins
from tests.datasets.etth1 import etth1_folder


def _read(name: str, data_dir: Path | None = None) -> Panel:
    return datasets.get(name).read(data_dir, Columns())


def _prepared(name: str, horizon: int, data_dir: Path | None = None) -> PreparedData:
    """With a validation and a test stage."""
    panel = _read(name, data_dir)
    borders = [datasets.get(name).borders(int(n), horizon) for n in panel.history]
    return prepare(panel, (holdout(borders), final_test(borders)), horizon)


def test_listing_the_names_imports_nothing_heavy() -> None:
    code = "import datasets, sys; datasets.names(); sys.exit(bool({'numpy', 'pandas', 'torch'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", datasets.names())
def test_a_module_is_named_like_its_data_set_and_sums_it_up_in_one_line(name: str) -> None:
    dataset = datasets.get(name)
    assert dataset.name == name
    assert dataset.summary
    assert "\n" not in dataset.summary
    assert dataset.licence


def test_nyc_airports_is_the_table_that_its_notice_describes() -> None:
    panel = _read("nyc_airports")
    assert panel.values.shape == (8730, 15)
    assert panel.observed.all()
    assert (panel.frequency, panel.start_times[0]) == ("h", np.datetime64("2013-01-01T06:00"))
    assert {name[4:] for name in panel.channels} == {"departures", "temp", "dewp", "humid", "wind_speed"}
    assert panel.values[:, panel.channels.index("EWR_wind_speed")].max() < 100


def test_nyc_airports_counts_every_flight_of_its_hours() -> None:
    panel = _read("nyc_airports")
    departures = panel.values[:, [name.endswith("departures") for name in panel.channels]]
    # 336,776 flights in 2013, less those of 31 December, and those of 30 December after 23:59 UTC.
    assert 335_000 < departures.sum() < 336_776


def test_nyc_airports_has_the_borders_and_test_windows_of_its_reference() -> None:
    assert datasets.get("nyc_airports").borders(8730, 24) == Borders(train_end=6111, val_end=6984, test_end=8730)
    data = _prepared("nyc_airports", 24)
    assert [len(score_origins(stage, data.offsets, 24)) for stage in data.stages] == [850, 1723]


@pytest.mark.parametrize(("horizon", "n_windows"), [(24, 2857), (96, 2785), (720, 2161)])
def test_etth1_has_the_windows_of_the_literature_and_leaves_its_last_rows_unused(horizon: int, n_windows: int) -> None:
    data = _prepared("etth1", horizon, etth1_folder())
    assert data.values.shape == (14400, 7)
    assert [len(score_origins(stage, data.offsets, horizon)) for stage in data.stages] == [n_windows, n_windows]


def test_etth1_is_scaled_to_zero_mean_and_unit_variance_over_its_train_rows() -> None:
    data = _prepared("etth1", 24, etth1_folder())
    loc, scale = data.stages[0].scalers.targets.affine("standard")
    train = (data.values[:8640] - loc) / scale
    np.testing.assert_allclose(train.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(train.std(axis=0), 1, atol=1e-6)


def test_synthetic_repeats_itself_to_the_bit() -> None:
    assert hash_panel(_read("synthetic")) == hash_panel(_read("synthetic"))


def test_synthetic_has_a_daily_season() -> None:
    values = _read("synthetic").values
    values = values - values.mean(axis=0)
    assert ((values[24:] * values[:-24]).mean(axis=0) > 0.5 * (values**2).mean(axis=0)).all()
