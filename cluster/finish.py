"""The end of a study: compare, export, tabulate. Everything printed afterwards is read from what is stored here."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from datasets.windows.prepared import PreparedData
from tuner.results.export import export_best
from tuner.results.schema import Row, Standing
from tuner.results.store import RunStore
from tuner.results.summary import write_summary
from tuner.results.table import write_table
from tuner.training.evaluate import Evaluation

RELOAD_TOLERANCE = 1e-5
"""Relative. On one device a reloaded score is equal; another GPU of the cluster may sum in another order."""


class ScoreMismatch(RuntimeError):
    """Weights that were loaded again are not worth what their trial reported."""


def compare_and_export(store: RunStore, data: PreparedData, evaluations: Sequence[Evaluation], best: Row) -> Path:
    """Stores the final comparison, and exports the best if its loaded weights are worth what its trial reported.

    Raises:
        ScoreMismatch: they are not: nothing is exported.
    """
    store.write_scores([_score(evaluation) for evaluation in evaluations])
    winner = next(evaluation for evaluation in evaluations if evaluation.who == "best")
    again = winner.validation.metrics[store.metric]
    if best.value is None or not math.isclose(again, best.value, rel_tol=RELOAD_TOLERANCE):
        raise ScoreMismatch(f"trial {best.number} reported {store.metric}={best.value}, its loaded weights give {again}")
    return export_best(
        store,
        weights=store.weights(best.number),
        config=best.config,
        scaler={
            "channels": list(data.channels),
            "mean": data.scaler.mean.tolist(),
            "std": data.scaler.std.tolist(),
        },
        study=store.study(),
        score={"trial": best.number, "validation": winner.validation.metrics, "test": winner.test.metrics},
    )


def tabulate(store: RunStore) -> None:
    """Writes trials.csv and summary.md, whatever there is."""
    write_table(store)
    write_summary(store)


def _score(evaluation: Evaluation) -> Standing:
    return Standing(
        who=evaluation.who,
        lookback=evaluation.lookback,
        n_windows={"validation": evaluation.validation.n_windows, "test": evaluation.test.n_windows},
        metrics={"validation": evaluation.validation.metrics, "test": evaluation.test.metrics},
        channel_mae=evaluation.test.channel_mae,
        note=evaluation.note,
    )
