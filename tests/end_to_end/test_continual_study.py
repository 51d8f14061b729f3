"""A whole study in which one network learns stages in turn."""

from __future__ import annotations

import pytest

from tests.commands import tuner
from tuner.results.store import RunStore
from tuner.study.trial import State

pytestmark = pytest.mark.slow
STUDY = [
    "--space", "dlinear", "--dataset", "synthetic", "--horizon", 12, "--protocol", "continual", "--stages", 3, "--epochs", 2,
    "--set", "data.lookback=24", "--set", "train.windows_per_epoch=128", "--cpus-per-trial", 2, "--trials", 5,
]  # fmt: skip


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> RunStore:
    runs = tmp_path_factory.mktemp("runs")
    done = tuner("run", *STUDY, "--runs", runs, "--name", "stages")
    assert done.returncode == 0, done.stdout + done.stderr
    return RunStore.open(runs / "stages")


def test_replay_is_searched_and_the_baseline_replays_nothing(store: RunStore) -> None:
    assert store.row(0).config["train.replay"] == "none"
    assert len({row.config["train.replay"] for row in store.rows()}) > 1


def test_a_trial_that_ends_its_budget_has_learned_every_stage(store: RunStore) -> None:
    finished = [row for row in store.rows() if row.state is State.FINISHED]
    assert finished
    assert all((row.epochs, row.turn) == (6, 2) for row in finished)


def test_the_summary_has_the_error_matrix(store: RunStore) -> None:
    text = (store.folder / "summary.md").read_text()
    assert "| after stage_3 |" in text
    assert "| forgetting of those before it |" in text


def test_the_exported_network_is_that_of_the_last_stage(store: RunStore) -> None:
    assert sorted(path.name for path in (store.folder / "best").glob("*.safetensors")) == ["weights.safetensors"]


def test_a_trial_repeats_in_a_fresh_process(store: RunStore) -> None:
    done = tuner("reproduce", store.folder, "--trial", 1)
    assert done.returncode == 0, done.stdout + done.stderr


def test_more_trials_may_be_had_and_other_epochs_may_not(store: RunStore) -> None:
    done = tuner("run", "--resume", store.folder, "--epochs", 3)
    assert done.returncode == 2
    assert done.stderr.startswith("error: --epochs cannot change on a resume with --protocol continual")
    done = tuner("run", "--resume", store.folder, "--trials", "+1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(RunStore.open(store.folder).rows()) == 6
