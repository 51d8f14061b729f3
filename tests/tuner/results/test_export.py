from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.tuner.results.runs import BASELINE, STUDY, new_store
from tuner.results.export import export_best
from tuner.results.files import read_json
from tuner.results.store import RunStore

SCALER = {"series": ["s"], "channels": ["temp"], "targets": {"mean": [[1.5]], "std": [[2.0]], "size": [[1.5]]}}


def _export(store: RunStore, weights: bytes = b"weights", **changes: object) -> Path:
    fields: dict = {"config": BASELINE, "scaler": SCALER, "study": STUDY, "score": {"trial": 3, "test": {"mse_scaled": 0.25}}}
    return export_best(store, weights=weights, **{**fields, **changes})


def test_the_best_holds_all_that_is_needed_to_use_it(tmp_path: Path) -> None:
    best = _export(new_store(tmp_path / "run"))
    assert {path.name for path in best.iterdir()} == {
        "config.json",
        "weights.safetensors",
        "scaler.json",
        "study.json",
        "README.md",
    }
    assert read_json(best / "config.json")["config"] == BASELINE
    assert read_json(best / "scaler.json") == SCALER
    assert read_json(best / "study.json") == STUDY


def test_the_hash_is_that_of_the_weights(tmp_path: Path) -> None:
    best = _export(new_store(tmp_path / "run"))
    digest = hashlib.sha256((best / "weights.safetensors").read_bytes()).hexdigest()
    assert read_json(best / "config.json")["weights_sha256"] == digest
    assert digest in (best / "README.md").read_text()


def test_the_readme_says_what_the_model_is_worth_and_how_to_use_it(tmp_path: Path) -> None:
    best = _export(new_store(tmp_path / "run"))
    readme = (best / "README.md").read_text()
    assert "- trial: 3\n- test: mse_scaled 0.2500\n" in readme
    assert f"python -m tuner.predict {best} --data my_table.csv --out forecast.csv" in readme


def test_with_folds_there_are_weights_of_each(tmp_path: Path) -> None:
    best = _export(new_store(tmp_path / "run"), stages={"fold_1": b"first", "fold_2": b"weights"})
    assert {path.name: path.read_bytes() for path in best.glob("weights.*")} == {
        "weights.safetensors": b"weights",
        "weights.fold_1.safetensors": b"first",
        "weights.fold_2.safetensors": b"weights",
    }
    assert "`weights.fold_1.safetensors`, `weights.fold_2.safetensors`" in (best / "README.md").read_text()


def test_of_a_study_of_the_last_step_the_readme_forecasts_it_alone(tmp_path: Path) -> None:
    readme = (_export(new_store(tmp_path / "run"), first_counted=23) / "README.md").read_text()
    code = readme.split("```python\n")[1].split("```")[0]
    compile(code, "README.md", "exec")
    assert "    first_counted=23,  # the steps before it did not count\n" in code
    assert "# (series, 1 steps, channels)" in code


def test_of_a_study_of_whole_numbers_the_readme_rounds_to_them(tmp_path: Path) -> None:
    code = (_export(new_store(tmp_path / "run"), whole_numbers=True) / "README.md").read_text().split("```python\n")[1]
    compile(code.split("```")[0], "README.md", "exec")
    assert "    whole_numbers=True,\n" in code


def test_the_python_in_the_readme_compiles(tmp_path: Path) -> None:
    readme = (_export(new_store(tmp_path / "run")) / "README.md").read_text()
    compile(readme.split("```python\n")[1].split("```")[0], "README.md", "exec")


def test_an_export_replaces_the_one_before_and_leaves_nothing_else(tmp_path: Path) -> None:
    store = new_store(tmp_path / "run")
    before = {path.name for path in store.folder.iterdir()}
    _export(store)
    assert (_export(store, b"newer") / "weights.safetensors").read_bytes() == b"newer"
    assert {path.name for path in store.folder.iterdir()} == {*before, "best"}


def test_an_export_does_not_mind_what_a_crash_left_of_the_one_before(tmp_path: Path) -> None:
    store = new_store(tmp_path / "run")
    old = store.folder / ".best.old"
    old.mkdir()
    (old / "study.json").touch()
    _export(store)
    _export(store, b"newer")
    assert not old.exists()


def test_an_export_that_fails_leaves_the_one_before(tmp_path: Path) -> None:
    store = new_store(tmp_path / "run")
    best = _export(store)
    with pytest.raises(ValueError, match="JSON compliant"):
        _export(store, b"newer", scaler={"mean": float("nan")})
    assert (best / "weights.safetensors").read_bytes() == b"weights"
    assert not list(store.folder.glob(".best*"))
