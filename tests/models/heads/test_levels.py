from __future__ import annotations

import re
import subprocess
import sys

import pytest

from models.heads.levels import parse_levels


@pytest.mark.parametrize(("text", "levels"), [("0.1,0.5,0.9", (0.1, 0.5, 0.9)), ("0.5", (0.5,)), (" .05 , .95", (0.05, 0.95))])
def test_levels_are_numbers_with_commas(text: str, levels: tuple[float, ...]) -> None:
    assert parse_levels(text) == levels


@pytest.mark.parametrize("text", ["", "0.9,0.1", "0.1,0.1", "0,0.5", "0.5,1", "0.5,", "half", "nan", "0.1;0.9"])
def test_levels_that_do_not_rise_inside_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=rf"train.quantile_levels must be .*got {re.escape(repr(text))}; write"):
        parse_levels(text)


def test_a_config_is_checked_without_torch() -> None:
    code = "import sys; from tuner.study.train_config import TrainConfig; TrainConfig(); assert 'torch' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
