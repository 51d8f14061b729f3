"""What can be said of the cluster files without a cluster."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.commands import ROOT

EXAMPLES = ROOT / "cluster" / "examples"


def test_the_yaml_is_a_cluster_to_ray() -> None:
    import yaml
    from ray.autoscaler._private.util import prepare_config, validate_config

    validate_config(prepare_config(yaml.safe_load((EXAMPLES / "on_premise.yaml").read_text())))


@pytest.mark.parametrize("script", sorted(EXAMPLES.glob("*.sh")), ids=lambda path: path.name)
def test_the_scripts_are_bash(script: Path) -> None:
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0


@pytest.mark.parametrize("example", sorted(EXAMPLES.iterdir()), ids=lambda path: path.name)
def test_each_says_in_its_first_lines_whether_it_was_tried(example: Path) -> None:
    head = " ".join(example.read_text().splitlines()[:6])
    assert "NOT TRIED" in head or "Tried on 20" in head
