"""A bug in a model: three times the same ends the study, and a mended model goes on with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands import ROOT, tuner
from tests.faults.plugins.faulty import arm
from tests.faults.studies import HERE, N_TRIALS, states
from tuner.study.trial import State

PLACE = "the model is broken"


@pytest.mark.slow
def test_a_bug_ends_the_study_at_the_third_trial_and_what_failed_goes_on_when_it_is_mended(
    faults: Path, tmp_path: Path
) -> None:
    source = (ROOT / "tests/faults/plugins/faulty.py").read_text().splitlines()
    line = next(number for number, text in enumerate(source, start=1) if PLACE in text)
    arm(faults, "bug", 3)
    done = tuner("run", *HERE, "--scheduler", "none", "--runs", tmp_path, FAULTY_FOLDER=str(faults))
    assert done.returncode == 1
    assert done.stderr.startswith("error: the code failed, and not the config; the study ended.\nTraceback ")
    assert f'faulty.py", line {line}' in done.stderr
    assert states(tmp_path / "study") == {State.FAILED: 3}
    done = tuner("run", "--resume", tmp_path / "study")
    assert done.returncode == 0, done.stdout + done.stderr
    assert states(tmp_path / "study") == {State.FINISHED: N_TRIALS}
