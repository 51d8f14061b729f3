"""A bug in a model, or in the last evaluation: it ends the study, and a mended model goes on with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands import ROOT, tuner
from tests.faults.plugins.faulty import arm
from tests.faults.studies import HERE, N_TRIALS, assert_same, states
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


@pytest.mark.slow
def test_an_evaluation_that_fails_exports_nothing_and_is_done_again_on_a_resume(
    whole: Path, faults: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "study"
    arm(faults, "evaluation", 1_000)
    done = tuner("run", *HERE, "--runs", tmp_path, FAULTY_FOLDER=str(faults))
    assert done.returncode == 1
    assert done.stderr.startswith("error: nothing was exported: the best, trial ")
    assert "the evaluation is broken" in done.stderr
    assert not (folder / "best").exists()
    assert tuner("run", "--resume", folder).returncode == 0
    assert_same(folder, whole)
