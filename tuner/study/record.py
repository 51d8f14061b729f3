"""``study.json``: everything that a study depends on, so that it can be repeated, and its best be used."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from search_spaces.base import Config
from tuner.study.environment import commit, versions
from tuner.study.problem_data import ProblemData
from tuner.study.study import Study


def record(study: Study, data: ProblemData, baseline: Config) -> dict[str, Any]:
    """A JSON object."""
    from datasets.windows.prepare import hash_panel

    panel = data.panel
    return {
        **study.to_json(),
        "baseline": baseline,
        "data": {
            "name": data.dataset.name,
            "sha256": hash_panel(panel),
            "n_rows": len(panel.values),
            "channels": list(panel.channels),
            "frequency": panel.frequency,
            "start": str(panel.start_times[0]),
            "n_filled": int((~panel.observed).sum()),
            "borders": asdict(data.borders),
        },
        "versions": versions(),
        "commit": commit(),
    }
