"""A file of new data as a study would have read it: what ``predict`` starts from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datasets.base import Panel


def history(path: Path, fill_rule: str | None, study: dict[str, Any], config: dict[str, Any]) -> tuple[Panel, tuple[str, ...]]:
    """The file as the study would have read it: its columns, filled, long enough for the model.

    Args:
        path: Its columns are those of the study.
        fill_rule: What stands for missing values.
        study: What ``study.json`` holds.
        config: Of the trial.

    Returns:
        The panel, and the series that are left out because they are too short, as the study said.

    Raises:
        LookupError, ValueError: it cannot be read so; in one sentence.
    """
    from datasets.reading.files import read_file
    from datasets.reading.fill import fill
    from datasets.reading.short import short_series
    from datasets.windows.lags import reach_of, source_lags
    from tuner.study.schema import split_config
    from tuner.study.study import Problem

    wanted, problem = study["data"], Problem.from_json(study["problem"])
    columns = replace(
        problem.columns,
        target=tuple(wanted["channels"]),
        covariates=tuple(wanted["covariates"]),
        categories=tuple(wanted["categories"]),
    )
    panel = _known_categories(read_file(path, columns), wanted["categories"], path)
    if panel.frequency != wanted["frequency"]:
        raise ValueError(f"--data must have the study's frequency {wanted['frequency']}, {path} has {panel.frequency}")
    panel = fill(panel, fill_rule, str(path))
    data_config = split_config(config)[2]
    reach = reach_of(data_config.lookback, source_lags(data_config, panel.frequency))
    lengths, rule = panel.history, problem.short_series
    if (rule is None and lengths.min() < reach) or (rule == "drop" and lengths.max() < reach):
        raise ValueError(
            f"--data must have {reach} rows of each series for the model's lookback and lags, series "
            f"{panel.series[int(lengths.argmin())]!r} of {path} has {lengths.min()}; bring more of its rows, or leave it out "
            "(what to do with short series is part of a study: --short-series)"
        )
    kept = short_series(panel, reach, rule, str(path))
    return kept, tuple(name for name in panel.series if name not in set(kept.series))


def own_names(study: dict[str, Any]) -> bool:
    """Whether the series of a study have names of their own: ``Problem.names_series``."""
    from tuner.study.study import Problem

    return Problem.from_json(study["problem"]).names_series


def _known_categories(panel: Panel, categories: dict[str, list[str]], path: Path) -> Panel:
    """The panel with the study's numbers for words.

    Raises:
        ValueError: a word that training has not seen.
    """
    import numpy as np

    codes = panel.static_categories.copy()
    for column, name in enumerate(panel.category_names):
        places = {word: i for i, word in enumerate(categories[name])}
        unseen = [word for word in panel.categories[column] if word not in places]
        if unseen:
            raise ValueError(
                f"--data must hold categories that training has seen, column {name!r} of {path} has {unseen[0]!r}; "
                f"the model knows {', '.join(categories[name][:10])}"
            )
        codes[:, column] = np.array([places[word] for word in panel.categories[column]])[panel.static_categories[:, column]]
    return replace(panel, static_categories=codes, categories=tuple(tuple(categories[name]) for name in panel.category_names))
