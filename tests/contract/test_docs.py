"""What the documents say is so: their code runs, their commands, options, files and names exist."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

import cluster.samplers
import cluster.schedulers
import datasets
import models
import models.floors
import search_spaces
from datasets.base import Dataset
from datasets.config import Columns
from models.base import Forecaster
from search_spaces.base import Space
from tests.commands import ROOT, tuner
from tests.search_spaces.sampling import sample
from tuner.study.lookup import find_space
from tuner.study.problem_data import read_problem
from tuner.study.schema import check_space, defaults_of
from tuner.study.study import Problem
from tuner.training.check import check_configs
from tuner.training.evaluate import NotRun, evaluate_floor

README, CONTRIBUTING = ((ROOT / name).read_text() for name in ("README.md", "CONTRIBUTING.md"))
DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
COMMANDS = sorted(path.stem for path in (ROOT / "tuner").glob("*.py") if path.stem != "__init__")
every_document = pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)


@cache
def options_of(command: str) -> set[str]:
    done = tuner(command, "--help")
    assert done.returncode == 0, done.stderr
    return set(re.findall(r"--[a-z][a-z-]*", done.stdout))


@every_document
def test_every_command_exists(path: Path) -> None:
    assert set(re.findall(r"\btuner\.(\w+)", "\n".join(example_lines(path.read_text())))) <= set(COMMANDS)


def example_lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if re.search(r"python -m tuner\.\w+", line)]


@pytest.mark.parametrize("line", sorted({line for path in DOCUMENTS for line in example_lines(path.read_text())}))
def test_every_option_of_an_example_exists_in_its_command(line: str) -> None:
    for command, arguments in re.findall(r"python -m tuner\.(\w+)([^`]*)", line):
        assert set(re.findall(r"--[a-z][a-z-]*", arguments)) <= options_of(command)


def test_every_other_option_in_the_readme_exists_in_some_command() -> None:
    named = set(re.findall(r"`(--[a-z][a-z-]*)", README))
    assert "--fill" in named
    assert named <= set().union(*map(options_of, COMMANDS))


def test_the_readme_shows_every_command() -> None:
    assert set(COMMANDS) <= set(re.findall(r"python -m tuner\.(\w+)", README))


def test_the_readme_knows_the_default_number_of_trials() -> None:
    text = " ".join(README.split())
    default = re.search(r"--trials.*?\[default: (\d+)\]", tuner("run", "--help").stdout)
    assert default
    assert f"the default is {default[1]} trials" in text


@every_document
def test_every_make_target_exists(path: Path) -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z-]+)", path.read_text(), re.MULTILINE)) <= targets


@every_document
def test_every_relative_link_resolves(path: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", path.read_text())
    assert [link for link in links if "://" not in link and not (path.parent / link).exists()] == []


@every_document
def test_every_source_file_named_exists(path: Path) -> None:
    named = re.findall(r"`((?:\w+/)+\w+\.py)`", path.read_text())
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize(
    "names",
    [models.names, models.floors.names, search_spaces.names, datasets.names, cluster.samplers.names, cluster.schedulers.names],
    ids=lambda names: names.__module__,
)
def test_the_readme_names_every_plugin(names: Callable[[], list[str]]) -> None:
    assert [name for name in names() if f"`{name}`" not in README] == []


def test_the_files_of_a_run_folder_are_those_that_the_code_writes() -> None:
    section = README.partition("## What you get")[2].partition("\n## ")[0]
    named = re.findall(r"`(\w+\.(?:json|jsonl|csv|md|safetensors))`", section)
    source = "\n".join(path.read_text() for path in (ROOT / "tuner").rglob("*.py"))
    assert len(named) >= 9
    assert [name for name in named if f'{name}"' not in source] == []


@pytest.mark.parametrize("name", models.floors.names())
def test_the_scores_of_floors_in_the_readme_are_those_of_today(name: str) -> None:
    row = re.search(rf"^{name} +([\d,]+) +([\d.]+) +([\d,]+) +([\d.]+) +([\d,]+)$", README, re.MULTILINE)
    data = read_problem(Problem(dataset="nyc_airports", horizon=24, metric="mse_scaled"), longest_lookback=168).opened()
    found = evaluate_floor(name, data)
    if isinstance(found, NotRun):
        assert row is None
    else:
        assert row
        assert [f"{score.metrics['mse_scaled']:.4f}" for score in (found.validation, found.test)] == [row[2], row[4]]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a package my_pkg: the Python of CONTRIBUTING.md, each block in the file that its first line names."""
    folder = tmp_path_factory.mktemp("plugins")
    package = folder / "my_pkg"
    (package / "files").mkdir(parents=True)
    (package / "__init__.py").touch()
    for name, code in re.findall(r"```python\n# \w+/(\w+\.py)\n(.*?)```", CONTRIBUTING, re.DOTALL):
        (package / name).write_text(code)
    (package / "files" / "my_dataset.csv").write_text("date,a\n2024-01-01,1\n2024-01-02,2\n2024-01-03,4\n")
    sys.path.insert(0, str(folder))
    yield folder
    sys.path.remove(str(folder))
    for module in [module for module in sys.modules if module.partition(".")[0] == "my_pkg"]:
        del sys.modules[module]


def module(folder: Path, name: str) -> ModuleType:
    found = importlib.import_module(f"my_pkg.{name}")
    assert Path(str(found.__file__)).is_relative_to(folder)
    return found


def test_every_python_block_names_its_file() -> None:
    assert len(re.findall(r"```python\n# \w+/\w+\.py\n", CONTRIBUTING)) == CONTRIBUTING.count("```python") == 3


def test_the_space_of_the_guide_fits_its_model(written: Path) -> None:
    assert find_space("my_pkg.my_space") == module(written, "my_space").SPACE
    check_space(find_space("my_pkg.my_space"), "my_pkg.my_space", 24)


def test_the_model_of_the_guide_trains_with_configs_of_its_space(written: Path) -> None:
    space: Space = module(written, "my_space").SPACE
    assert issubclass(module(written, "my_model").MODEL, Forecaster)
    data = read_problem(Problem(dataset="synthetic", horizon=24, metric="mse_scaled"), longest_lookback=168).for_trials()
    configs = [space.baseline_config(24, defaults_of(space.model)), *(sample(space, seed) for seed in range(3))]
    check_configs(space.model, configs, data)


@pytest.mark.slow
def test_the_space_of_the_guide_can_be_run_by_its_path(written: Path) -> None:
    command = re.search(r"^python -m tuner\.run (--space my_pkg.*)$", CONTRIBUTING, re.MULTILINE)
    assert command
    done = tuner("run", *command[1].split(), PYTHONPATH=str(written))
    assert done.returncode == 0, done.stderr
    assert "my_pkg.my_space" in done.stdout


def test_the_data_set_of_the_guide_can_be_read(written: Path) -> None:
    dataset: Dataset = module(written, "my_dataset").DATASET
    panel = dataset.read(None, Columns())
    assert (panel.values.ravel().tolist(), panel.frequency, dataset.name) == ([1, 2, 4], "D", "my_dataset")


def test_the_tests_that_the_table_of_faults_names_are_all_there_are_and_exist() -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs" / "faults.md").read_text()))
    sources = {path: path.read_text() for path in (ROOT / "tests").rglob("test_*.py")}
    faults = {
        name
        for path, source in sources.items()
        if path.parent.name == "faults"
        for name in re.findall(r"^def (test_\w+)", source, re.MULTILINE)
    }
    assert faults <= named
    assert all(any(f"def {name}(" in source for source in sources.values()) for name in named)
