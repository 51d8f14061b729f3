from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from cluster.nodes import look, other_versions
from tests.commands import ROOT

HERE = {"torch": "2.13.0+cpu", "numpy": "2.4.0", "machine": "x86_64"}


def test_a_node_like_this_one_has_no_problem() -> None:
    problem, there = look("dlinear")
    assert problem == ""
    assert there["torch"].startswith("2.")


def test_a_model_that_a_node_lacks_is_named() -> None:
    problem, _ = look("no_pkg.no_model")
    assert "no module no_pkg.no_model can be imported" in problem


def test_another_package_named_datasets_is_named(tmp_path: Path) -> None:
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "__init__.py").touch()
    code = f"import sys; sys.path.append({str(ROOT)!r}); from cluster.nodes import look; print(look('dlinear')[0])"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("the package named datasets must be ")
    assert str(tmp_path) in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"torch": "2.13.0+cu130", "machine": "aarch64"}, ""),
        ({"torch": "2.12.1+cpu"}, "torch is 2.12.1+cpu and not 2.13.0+cpu"),
        ({"numpy": "absent"}, "numpy is absent and not 2.4.0"),
    ],
)
def test_versions_may_differ_in_the_build_only(change: dict[str, str], said: str) -> None:
    assert other_versions(HERE, {**HERE, **change}) == said
