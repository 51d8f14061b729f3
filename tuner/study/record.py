"""``study.json``: everything that a study depends on, so that it can be repeated, and its best be used."""

from __future__ import annotations

from typing import Any

from search_spaces.base import Config
from tuner.study.environment import commit, versions
from tuner.study.folds import folds_record
from tuner.study.problem_data import ProblemData
from tuner.study.study import Study


def record(study: Study, data: ProblemData, baseline: Config) -> dict[str, Any]:
    """A JSON object."""
    panel = data.panel
    return {
        **study.to_json(),
        "baseline": baseline,
        "data": {
            "name": data.dataset.name,
            "sha256": data.sha256,
            "n_rows": len(panel.values),
            "n_series": len(panel.series),
            "n_series_read": data.n_series_read,
            "n_missing": data.n_missing,
            "channels": list(panel.channels),
            "covariates": list(panel.covariate_names),
            "known": list(panel.known_names),
            "static": list(panel.static_names),
            "categories": dict(zip(panel.category_names, map(list, panel.categories), strict=True)),
            "frequency": panel.frequency,
            "start": str(panel.start_times.min()),
            **folds_record(panel, data.validation, data.test, chained=data.problem.chained),
        },
        "versions": versions(),
        "commit": commit(),
    }
