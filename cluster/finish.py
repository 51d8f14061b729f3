"""The end of a study: compare, export, tabulate. Everything printed afterwards is read from what is stored here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from datasets.windows.prepared import PreparedData
from tuner.results.export import export_best
from tuner.results.schema import Row, Standing
from tuner.results.store import RunStore
from tuner.results.summary import write_summary
from tuner.results.table import write_table
from tuner.training.evaluate import Evaluation, NotRun
from tuner.training.network import weights_of

RELOAD_TOLERANCE = 1e-5
"""Relative. On one device a reloaded score is equal; another GPU of the cluster may sum in another order."""


class ScoreMismatch(RuntimeError):
    """Weights that were loaded again are not worth what their trial reported."""


def compare_and_export(store: RunStore, data: PreparedData, evaluations: Sequence[Evaluation | NotRun], best: Row) -> Path:
    """Stores the final comparison, and exports the best if its loaded weights are worth what its trial reported.

    Raises:
        ScoreMismatch: they are not: nothing is exported.
    """
    store.write_scores([_score(evaluation) for evaluation in evaluations])
    winner = next(each for each in evaluations if isinstance(each, Evaluation) and each.who == "best")
    again = winner.validation.metrics[store.metric]
    if best.value is None or not math.isclose(again, best.value, rel_tol=RELOAD_TOLERANCE):
        raise ScoreMismatch(f"trial {best.number} reported {store.metric}={best.value}, its loaded weights give {again}")
    weights = store.weights(best.number)
    *validation, test = data.stages
    trained = validation[-1:] if data.chained else validation
    stages = {stage.name: weights_of(stage.name, weights) for stage in trained}
    return export_best(
        store,
        weights=stages[validation[-1].name],
        stages=stages if len(stages) > 1 else {},
        config=best.config,
        scaler={"series": list(data.series), "channels": list(data.channels), **test.scalers.to_json()},
        study=store.study(),
        score={"trial": best.number, "validation": _finite(winner.validation.metrics), "test": _finite(winner.test.metrics)},
        first_counted=data.first_counted,
        whole_numbers=data.whole_numbers,
    )


def tabulate(store: RunStore) -> None:
    """Writes trials.csv and summary.md, whatever there is."""
    write_table(store)
    write_summary(store)


def _score(evaluation: Evaluation | NotRun) -> Standing:
    if isinstance(evaluation, NotRun):
        return Standing(who=evaluation.who, lookback=0, n_windows={}, metrics={}, note=f"not run: {evaluation.note}")
    return Standing(
        who=evaluation.who,
        lookback=evaluation.lookback,
        n_windows={"validation": evaluation.validation.n_windows, "test": evaluation.test.n_windows},
        metrics={"validation": _finite(evaluation.validation.metrics), "test": _finite(evaluation.test.metrics)},
        by_channel={name: _finite(values) for name, values in evaluation.test.by_channel.items()},
        by_step={name: list(map(_number, values)) for name, values in evaluation.test.by_step.items()},
        n_dropped=evaluation.test.n_dropped,
        note=evaluation.note,
    )


def _finite(metrics: Mapping[str, float]) -> dict[str, float]:
    """Those that have a value: JSON knows no NaN."""
    return {name: value for name, value in metrics.items() if math.isfinite(value)}


def _number(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
