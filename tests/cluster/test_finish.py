from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cluster.finish import RELOAD_TOLERANCE, ScoreMismatch, compare_and_export
from datasets.windows.prepared import PreparedData
from tests.models.etth1 import prepared
from tests.tuner.results.runs import full_store
from tuner.results.schema import BEST, BEST_WEIGHTS
from tuner.results.store import RunStore, best_row
from tuner.training.evaluate import Evaluation
from tuner.training.metrics import Score

DATA: PreparedData = prepared(np.zeros((20, 1)), 2, 10, 20)


def compare(store: RunStore, reloaded: float) -> Path:
    """The end of a study whose best, trial 1, reported 0.2, and whose loaded weights give ``reloaded``."""
    (store.trial(1) / BEST_WEIGHTS).write_bytes(b"weights")
    score = Score(n_windows=9, metrics={"mse_scaled": reloaded}, channel_mae={})
    best = best_row(store.rows())
    assert best is not None
    assert (best.number, best.value) == (1, 0.2)
    return compare_and_export(
        store, DATA, [Evaluation(who="best", lookback=3, validation=score, test=score, seconds=0.0)], best
    )


@pytest.mark.parametrize("reloaded", [0.2 * (1 + 2 * RELOAD_TOLERANCE), 0.19])
def test_nothing_is_exported_if_the_loaded_weights_are_not_worth_what_their_trial_reported(
    tmp_path: Path, reloaded: float
) -> None:
    store = full_store(tmp_path / "run")
    with pytest.raises(ScoreMismatch, match=r"trial 1 reported mse_scaled=0.2, its loaded weights give"):
        compare(store, reloaded)
    assert not (store.folder / BEST).exists()


@pytest.mark.parametrize("reloaded", [0.2, 0.2 * (1 + RELOAD_TOLERANCE / 2)])
def test_weights_that_are_worth_it_are_exported(tmp_path: Path, reloaded: float) -> None:
    best = compare(full_store(tmp_path / "run"), reloaded)
    assert (best / "weights.safetensors").read_bytes() == b"weights"
