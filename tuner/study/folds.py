"""The rows that each stage of a study trains and scores: kept in ``study.json``, and read back by ``--folds-file``."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from datasets.base import Panel
    from datasets.windows.prepared import Split


def folds_record(panel: Panel, validation: Sequence[Split], test: Split, *, chained: bool = False) -> dict[str, Any]:
    """A JSON object: rows [start, end) of each series, counted from its first row; and whether stages are learned in turn."""
    stages = [_stage(split) for split in validation]
    return {**_rows_of(panel), "chained": chained, "validation": stages, "test": _stage(test)}


def _rows_of(panel: Panel) -> dict[str, Any]:
    """What the rows of a panel are counted from."""
    return {
        "series": list(panel.series),
        "starts": [str(time) for time in panel.start_times.astype("datetime64[s]")],
        "frequency": panel.frequency,
    }


def recorded_starts(path: Path) -> dict[str, np.datetime64]:
    """The series of a study in their order, and where each began, with the rows that were put in front of it.

    Raises:
        ValueError: the file is none.
    """
    import numpy as np

    record = _read(path)
    try:
        return {str(name): np.datetime64(time, "s") for name, time in zip(record["series"], record["starts"], strict=True)}
    except (ValueError, TypeError, KeyError) as error:
        raise _not_one(path, error) from None


def read_folds(path: Path, panel: Panel, n_chained: int | None = None) -> tuple[tuple[Split, ...], Split]:
    """The splits of a study, if they are for this panel.

    Args:
        path: A ``study.json``, or a file with what ``folds_record`` gives.
        panel: The data that is to be cut.
        n_chained: Stages that one network is to learn in turn; None where each stage has a network of its own.

    Raises:
        ValueError: the file is none, is for other series or another protocol, or breaks the order of time.
    """
    record = _read(path)
    try:
        validation, test = tuple(map(_split, record["validation"])), _split(record["test"])
        there = {name: record[name] for name in ("series", "starts", "frequency")}
        chained = len(validation) if record.get("chained", False) else None
    except (ValueError, TypeError, KeyError) as error:
        raise _not_one(path, error) from None
    if not validation:
        raise ValueError(f"--folds-file must hold a stage to validate on, {path} has none")
    for name, here in _rows_of(panel).items():
        if there[name] != here:
            raise ValueError(f"--folds-file must be for this data, its {name} are not those of the data ({path})")
    if chained != n_chained:
        here, needed = (f"--protocol continual --stages {n}" if n else "--protocol holdout" for n in (n_chained, chained))
        raise ValueError(f"--folds-file is for {needed}, got {here} ({path}); give that protocol")
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
    for one, other in pairwise(validation):
        if (early := other.score[:, 0] <= one.score[:, 0]).any():
            i = int(early.argmax())
            raise ValueError(
                f"--folds-file must have its stages in the order of time, got {other.name} scored from row {other.score[i, 0]} "
                f"of {panel.series[i]!r} after {one.name} from {one.score[i, 0]} ({path})"
            )
    for one, other in pairwise(validation) if n_chained else ():
        if (early := other.train[:, 0] < one.score[:, 1]).any():
            i = int(early.argmax())
            raise ValueError(
                f"--folds-file must have no stage train on rows that an earlier one scores, got {other.name} from row "
                f"{other.train[i, 0]} of {panel.series[i]!r} where {one.name} scores up to {one.score[i, 1]} ({path})"
            )
    for split in validation:
        if (late := split.score[:, 1] > test.score[:, 0]).any():
            i = int(late.argmax())
            raise ValueError(
                f"--folds-file must test on rows after all that validate, got the test from row {test.score[i, 0]} of "
                f"{panel.series[i]!r} where {split.name} scores up to {split.score[i, 1]} ({path})"
            )
    return validation, test


def _read(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_bytes())
        data: dict[str, Any] = record.get("data", record)
    except FileNotFoundError:
        raise ValueError(f"--folds-file must exist, {path} does not; name the study.json of a run") from None
    except (OSError, ValueError, AttributeError) as error:
        raise _not_one(path, error) from None
    return data


def _not_one(path: Path, error: Exception) -> ValueError:
    return ValueError(f"--folds-file must be the study.json of a run, {path} is not: {error}")


def _stage(split: Split) -> dict[str, Any]:
    return {"name": split.name, "train": split.train.tolist(), "score": split.score.tolist()}


def _split(record: dict[str, Any]) -> Split:
    import numpy as np

    from datasets.windows.prepared import Split

    train, score = (np.array(record[name], dtype=np.int64) for name in ("train", "score"))
    return Split(name=str(record["name"]), train=train, score=score)
