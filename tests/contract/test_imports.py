"""The import order of design: plug-ins, then the study, then the cluster, then commands; and who may import what is heavy."""

from __future__ import annotations

import ast
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("search_spaces", "datasets", "models", "tuner", "cluster")
PLUGINS = {"search_spaces": {"search_spaces"}, "datasets": {"datasets"}, "models": {"models", "datasets"}}
LATER = {"study": ("tuner.training", "tuner.results", "tuner.console"), "training": ("tuner.results", "tuner.console"),
         "results": ("tuner.training", "tuner.console"), "console": ()}  # fmt: skip
HEAVY = {
    "ray": ("cluster",),
    "optuna": ("cluster",),
    "pytorch_lightning": ("tuner/training",),
    "lightning": ("tuner/training",),
    "pytorch_forecasting": ("models/pf_tft.py",),  # it brings the other Lightning
    "transformers": ("models/hf_time_series_transformer.py",),
}
SOURCES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]


@cache
def imports_of(path: Path) -> frozenset[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return frozenset(found)


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def is_command(path: Path) -> bool:
    return path.parent == ROOT / "tuner" and path.name != "__init__.py"


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_a_module_imports_only_what_comes_before_it(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    ours = {name for name in imports_of(path) if name.partition(".")[0] in PACKAGES}
    if package in PLUGINS:
        assert {name.partition(".")[0] for name in ours} <= PLUGINS[package]
    elif package == "tuner" and not is_command(path):
        later = ("cluster", *LATER.get(path.relative_to(ROOT).parts[1], ()))
        assert not {name for name in ours if name.startswith(later)}


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_nobody_imports_a_command(path: Path) -> None:
    commands = {f"tuner.{command.stem}" for command in (ROOT / "tuner").glob("*.py") if command.name != "__init__.py"}
    assert not imports_of(path) & commands


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_heavy_libraries_stay_where_they_belong(path: Path) -> None:
    for library, homes in HEAVY.items():
        if any(name == library or name.startswith(f"{library}.") for name in imports_of(path)):
            assert relative(path).startswith(homes), f"{relative(path)} imports {library}"


def test_search_spaces_need_the_standard_library_only() -> None:
    for path in (ROOT / "search_spaces").rglob("*.py"):
        outside = {name.partition(".")[0] for name in imports_of(path)} - set(sys.stdlib_module_names)
        assert outside <= {"search_spaces"}, relative(path)


def loaded_by(code: str) -> set[str]:
    command = f"{code}\nimport sys; print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize("command", sorted(p.stem for p in (ROOT / "tuner").glob("*.py") if p.name != "__init__.py"))
def test_help_loads_nothing_heavy(command: str) -> None:
    help_ = f"import sys; sys.argv = ['x', '--help']\nfrom tuner.{command} import app\ntry: app()\nexcept SystemExit: pass"
    assert not loaded_by(help_) & {"torch", "numpy", "pandas", "ray", "optuna", "pytorch_lightning"}


def test_the_list_loads_nothing_heavy() -> None:
    listing = "from tuner.console.listing import print_names; print_names()"
    assert not loaded_by(listing) & {"torch", "numpy", "pandas", "ray", "optuna", "pytorch_lightning"}


@pytest.mark.parametrize("path", sorted((ROOT / "cluster").rglob("*.py")), ids=relative)
def test_what_trains_is_imported_by_workers_alone(path: Path) -> None:
    trains = {
        "cluster.trainable",
        *(f"tuner.training.{name}" for name in ("trial", "module", "trainer", "protocols", "replay")),
    }
    if relative(path) not in ("cluster/trainable.py", "cluster/run_one.py"):  # the second is that of tuner.train
        assert not imports_of(path) & trains


def test_the_driver_of_a_study_and_what_forecasts_need_neither_lightning_nor_the_compiler() -> None:
    modules = {f"cluster.{path.stem}" for path in (ROOT / "cluster").glob("*.py")}
    workers = {"cluster.trainable", "cluster.run_one"}
    driver = f"""
import {", ".join(sorted(modules - workers))}
import tuner.training.forecasting
from tuner.run import app
try: app(["--space", "dlinear", "--dataset", "synthetic", "--dry-run"])
except SystemExit as end: assert not end.code, end"""
    loaded = loaded_by(driver)
    assert {"torch", "ray.tune", "cluster.study_runner"} <= loaded
    assert not loaded & {"pytorch_lightning", "torch._dynamo"}
