"""The rows that each stage of a study trains and scores: kept in ``study.json``, and read back by ``--folds-file``."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datasets.base import Panel
    from datasets.windows.prepared import Split


def folds_record(panel: Panel, validation: Sequence[Split], test: Split) -> dict[str, Any]:
    """A JSON object: rows [start, end) of each series, counted from its first row."""
    return {
        "series": list(panel.series),
        "starts": [str(time) for time in panel.start_times.astype("datetime64[s]")],
        "frequency": panel.frequency,
        "validation": [_stage(split) for split in validation],
        "test": _stage(test),
    }


def read_folds(path: Path, panel: Panel) -> tuple[tuple[Split, ...], Split]:
    """The splits of a study, if they are for this panel.

    Args:
        path: A ``study.json``, or a file with what ``folds_record`` gives.
        panel: The data that is to be cut.

    Raises:
        ValueError: the file is none, is for other series, or breaks the order of time.
    """
    try:
        record = json.loads(path.read_bytes())
        record = record.get("data", record)
        validation, test = tuple(map(_split, record["validation"])), _split(record["test"])
        series, starts, frequency = record["series"], record["starts"], record["frequency"]
    except FileNotFoundError:
        raise ValueError(f"--folds-file must exist, {path} does not; name the study.json of a run") from None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"--folds-file must be the study.json of a run, {path} is not: {error}") from None
    if not validation:
        raise ValueError(f"--folds-file must hold a stage to validate on, {path} has none")
    here = folds_record(panel, validation, test)
    for name, there in (("series", series), ("starts", starts), ("frequency", frequency)):
        if there != here[name]:
            raise ValueError(f"--folds-file must be for this data, its {name} are not those of the data ({path})")
    history = panel.history
    for split in (*validation, test):
        if split.train.shape != (len(history), 2) or split.score.shape != split.train.shape:
            raise ValueError(
                f"--folds-file must have a range for each of {len(history)} series, see stage {split.name} in {path}"
            )
        for i, (name, n) in enumerate(zip(panel.series, history, strict=True)):
            (train_start, train_end), (start, end) = split.train[i], split.score[i]
            if not 0 <= train_start < train_end <= start < end <= n:
                raise ValueError(
                    f"--folds-file must train before it scores, within the {n} rows of a series, got train "
                    f"{train_start}:{train_end} and score {start}:{end} of {name!r} in stage {split.name} ({path})"
                )
    names = [split.name for split in validation]
    if len(set(names)) < len(names) or not all(re.fullmatch(r"[\w-]+", name) for name in names):
        raise ValueError(f"--folds-file must name its stages, each by a word of its own, got {', '.join(names)} ({path})")
    if (test.train != validation[-1].train).any():
        raise ValueError(f"--folds-file must train for the test on the rows of its last stage, {names[-1]} ({path})")
    return validation, test


def _stage(split: Split) -> dict[str, Any]:
    return {"name": split.name, "train": split.train.tolist(), "score": split.score.tolist()}


def _split(record: dict[str, Any]) -> Split:
    import numpy as np

    from datasets.windows.prepared import Split

    train, score = (np.array(record[name], dtype=np.int64) for name in ("train", "score"))
    return Split(name=str(record["name"]), train=train, score=score)
