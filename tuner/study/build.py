"""From the words of a command to a checked ``Study``. Imports nothing heavy."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from datasets.config import Columns
from search_spaces.base import Choice, Config, Int, Ordinal, Space, Value
from search_spaces.shared.continual import CONTINUAL
from tuner.study.lookup import find_space
from tuner.study.problem_data import default_horizon
from tuner.study.schema import check_space, defaults_of, did_you_mean, keys_of, parse_value
from tuner.study.study import Problem

PROTOCOLS = ("holdout", "continual")
_N_STAGES = 5


def parse_settings(settings: Iterable[str], model: str) -> Config:
    """The values of repeated ``--set key=value``.

    Raises:
        ValueError: a setting is not of that form, or the value is not of the key's type.
        LookupError: no such key.
    """
    keys = keys_of(model)
    values: Config = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise ValueError(f"--set takes key=value, got {setting!r}; for example --set train.learning_rate=0.001")
        if name not in keys:
            raise LookupError(did_you_mean(name, keys, f"key of {model}"))
        values[name] = parse_value(keys[name], text)
    return values


def load_space(name: str, settings: Iterable[str], horizon: int, *, chained: bool = False) -> Space:
    """The space of that name with the settings fixed, proved to fit its model.

    Args:
        name: Of the space.
        settings: As ``parse_settings`` takes them.
        horizon: Of the study.
        chained: Whether one network learns stages in turn: then replay is searched too, where the space does not say how.

    Raises:
        LookupError, TypeError, ValueError: it does not; in one sentence.
    """
    space = find_space(name)
    if chained:
        space = replace(space, search={**CONTINUAL, **space.search})
    check_space(space, name, horizon)
    return with_settings(space, name, settings, horizon, chained=chained)


def with_settings(space: Space, name: str, settings: Iterable[str], horizon: int, *, chained: bool = False) -> Space:
    """A space with some keys fixed, proved to fit its model and its study still; as ``load_space``.

    Raises:
        LookupError, ValueError: it does not; in one sentence.
    """
    space = space.with_fixed(parse_settings(settings, space.model))
    named = {*space.search, *space.baseline, *(key for recipe in space.recipes.values() for key in recipe)}
    if not chained and (of_stages := sorted(CONTINUAL.keys() & named)):
        raise ValueError(f"{', '.join(of_stages)} needs stages to replay ({name}); give --protocol continual, or leave it out")
    check_space(space, f"{name} with --set", horizon)
    return space


def longest_windows(space: Space, horizon: int) -> tuple[int, int | None]:
    """The longest lookback of any config of the space, and the longest lag: 0 if there are no lags, None for no limit."""
    defaults = defaults_of(space.model)
    baseline = {**defaults, **space.baseline_config(horizon, defaults)}

    def values(key: str) -> set[Value]:
        """Those that the key may have, or the ends of its range."""
        match space.search.get(key):
            case Ordinal() | Choice() as listed:
                return {*listed.values}
            case Int() as range_:
                return {range_.low, range_.high}
            case _:
                return {baseline[key]}

    lookback = max(value for value in values("data.lookback") if isinstance(value, int))
    if values("data.lags") == {"none"}:
        return lookback, 0
    lags = values("data.longest_lag")
    return lookback, None if None in lags else max(value for value in lags if isinstance(value, int))


def parse_columns(
    target: str | None, covariates: str | None, known: str | None, static: str | None, series_id: str | None
) -> Columns:
    """The columns' parts from lists with commas; ``covariates`` may be ``none``."""

    def names(text: str | None) -> tuple[str, ...]:
        return tuple(name.strip() for name in (text or "").split(",") if name.strip())

    return Columns(
        target=names(target),
        covariates=None if covariates is None else () if covariates == "none" else names(covariates),
        known=names(known),
        static=names(static),
        series_id=series_id,
    )


def parse_problem(
    *,
    dataset: str,
    horizon: int | None,
    metric: str,
    target: str | None,
    covariates: str | None,
    known: str | None,
    static: str | None,
    series_id: str | None,
    fill: str | None,
    short_series: str | None,
    split: str | None,
    folds: int,
    folds_file: Path | None,
    protocol: str,
    stages: int | None,
    last_step_only: bool,
    whole_numbers: bool,
    paths: int,
    data_dir: Path | None,
) -> Problem:
    """The problem that the options of a command name; each argument is the option of that name, paths as typed.

    Raises:
        ValueError: an option is out of its range.
    """
    if protocol not in PROTOCOLS:
        raise ValueError(f"--protocol must be one of {', '.join(PROTOCOLS)}, got {protocol!r}")
    if stages is not None and protocol != "continual":
        raise ValueError(f"--stages belongs to --protocol continual, got --stages {stages}; give both, or neither")
    return Problem(
        dataset=absolute(dataset),
        horizon=default_horizon(dataset) if horizon is None else horizon,
        metric=metric,
        columns=parse_columns(target, covariates, known, static, series_id),
        fill=fill,
        short_series=short_series,
        split=split,
        n_folds=folds,
        n_stages=(_N_STAGES if stages is None else stages) if protocol == "continual" else None,
        folds_file=folds_file.absolute() if folds_file else None,
        last_step_only=last_step_only,
        whole_numbers=whole_numbers,
        n_paths=paths,
        data_dir=data_dir.absolute() if data_dir else None,
    )


def absolute(dataset: str) -> str:
    """A file's whole path, so that a study can be repeated from anywhere; a name as it is."""
    return str(Path(dataset).resolve()) if Path(dataset).is_file() else dataset


def default_name(space: str, dataset: str, horizon: int) -> str:
    """A name with the time in it, to the second."""
    stem = re.sub(r"[^\w.-]+", "-", Path(dataset).stem)
    return f"{space.rpartition('.')[2]}-{stem}-h{horizon}-{datetime.now():%Y%m%d-%H%M%S}"


def check_folder(runs: Path, name: str) -> None:
    """Proves that a new run folder can be made.

    Raises:
        ValueError: the name is no folder name, or is taken.
        PermissionError: the folder cannot be written.
    """
    if not re.fullmatch(r"[\w][\w.-]{0,99}", name):
        raise ValueError(f"--name must be at most 100 letters, digits, dots, dashes and underscores, got {name!r}")
    if (runs / name).exists():
        raise ValueError(
            f"--name must be new, {runs / name} exists; choose another, or see it: python -m tuner.show {runs / name}"
        )
    existing = next(parent for parent in (runs, *runs.resolve().parents) if parent.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        raise PermissionError(f"--runs must be a folder that can be written, {existing} cannot; name another with --runs")


def parse_count(text: str, option: str, before: int | None = None) -> int:
    """The number of 40, or of +20 over what was before.

    Raises:
        ValueError: it is neither, or there is nothing before.
    """
    match = re.fullmatch(r"(\+?)(-?\d+)", text.strip())
    if not match or (match[1] and before is None):
        more = "" if before is None else ", or +20 for so many more"
        raise ValueError(f"{option} takes a whole number such as 40{more}, got {text!r}")
    return int(match[2]) + (before or 0 if match[1] else 0)


def parse_duration(text: str, option: str = "--time") -> float:
    """Seconds of 90, 90s, 10m, 2h, 1h30m.

    Raises:
        ValueError: it is none of these.
    """
    match = re.fullmatch(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s?)?", text.strip())
    if not match or not any(match.groups()):
        raise ValueError(f"{option} takes a duration such as 90s, 10m or 1h30m, got {text!r}")
    hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return hours * 3600 + minutes * 60 + seconds
