"""A study that goes on: what it was, and what of it the words of a resume change. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from search_spaces.base import Space
from tuner.study.build import load_space, longest_windows, parse_count, parse_duration, with_settings
from tuner.study.problem_data import ProblemData, read_problem
from tuner.study.study import Budget, Limits, Problem, Resources, Study

_STUDY = "study.json"

CHANGEABLE = {
    *("trials", "epochs", "time", "space", "settings", "scheduler", "sampler", "data_dir", "trial_timeout"),
    *Resources.__annotations__,
    *Limits.__annotations__,
}
"""The options of ``run`` that a resume takes; all others are the study's own."""


def resumed(before: Study, words: Mapping[str, Any], used_s: float) -> Study:
    """A study as it goes on.

    Args:
        before: As it was.
        words: The options that were given, as typed, by the name of the parameter.
        used_s: Seconds of its time that are used.

    Raises:
        LookupError, TypeError, ValueError: it cannot go on so; in one sentence.
    """
    for name in words:
        if name not in CHANGEABLE:
            option = "--" + name.replace("_", "-")
            raise ValueError(
                f"a study that goes on has its own {option}, which cannot change; leave it out, or begin a new study"
            )
    space, space_name, horizon = before.space, before.space_name, before.problem.horizon
    if "space" in words:
        space, space_name = (
            load_space(words["space"], words.get("settings", ()), horizon, chained=before.problem.chained),
            words["space"],
        )
    elif "settings" in words:
        space = with_settings(space, space_name, words["settings"], horizon, chained=before.problem.chained)
    if space.model != before.space.model:
        raise ValueError(
            f"--space must be one for the model of the study, {before.space.model}, got {words['space']!r}, which is for "
            f"{space.model}; begin a new study"
        )
    budget = _budget(before, words, used_s)
    if before.problem.chained and budget.epochs != before.budget.epochs:
        raise ValueError(
            "--epochs cannot change on a resume with --protocol continual: a stage begins where the one before it ended; begin "
            "a new study"
        )
    if budget.epochs < before.budget.epochs:
        raise ValueError(
            f"--epochs can only grow on a resume, the study has {before.budget.epochs}, got {budget.epochs}; begin a new study"
        )
    problem = before.problem
    if "data_dir" in words:
        problem = replace(problem, data_dir=words["data_dir"].absolute())
    return replace(
        before,
        space=space,
        space_name=space_name,
        problem=problem,
        budget=budget,
        sampler=words.get("sampler", before.sampler),
        scheduler=words.get("scheduler", before.scheduler),
        resources=replace(before.resources, **_named(words, Resources)),
        limits=parse_limits(before.limits, words),
    )


def recorded_data(record: Mapping[str, Any], folder: Path, problem: Problem, space: Space) -> ProblemData:
    """The data of a study, cut where it was cut.

    Args:
        record: Its ``study.json``.
        folder: Of the run.
        problem: Of the study; ``data_dir`` may be another.
        space: Whose longest windows must fit.

    Raises:
        LookupError, ValueError, OSError: the data cannot be read, or is not what it was.
    """
    borders = replace(problem, folds_file=folder / _STUDY, n_folds=1, split=None)
    data = read_problem(borders, *longest_windows(space, problem.horizon))
    if data.sha256 != record["data"]["sha256"]:
        raise ValueError(
            f"the data must be that of the study, its sha256 was {record['data']['sha256']}, that of {problem.dataset} is now "
            f"{data.sha256}"
        )
    return data


def parse_limits(before: Limits, words: Mapping[str, Any]) -> Limits:
    """Limits with what the options of a command change of them.

    Raises:
        ValueError: an option is out of its range.
    """
    limits = replace(before, **_named(words, Limits))
    if "trial_timeout" in words:
        limits = replace(limits, trial_timeout_s=parse_duration(words["trial_timeout"], "--trial-timeout"))
    return limits


def changes(before: Study, after: Study) -> list[str]:
    """What differs, a line each, named as the options are."""
    then, now = before.to_json(), after.to_json()
    lines = [f"--{name} {then[name]} -> {now[name]}" for name in ("sampler", "scheduler") if then[name] != now[name]]
    for part in ("budget", "resources", "limits"):
        for name, new in now[part].items():
            if then[part][name] != new:
                option = name.removeprefix("n_").removesuffix("_s").replace("_", "-")
                lines.append(f"--{option} {_words(name, then[part][name])} -> {_words(name, new)}")
    then, now = then["space"]["search"], now["space"]["search"]
    for key in sorted({*then, *now}):
        if then.get(key) != now.get(key):
            was, is_ = (study.space.search.get(key, "not searched") for study in (before, after))
            lines.append(f"{key} {was} -> {is_}")
    return lines


def _words(name: str, value: Any) -> str:
    return "none" if value is None else f"{value:.0f}s" if name.endswith("_s") else str(value)


def _budget(study: Study, words: Mapping[str, Any], used_s: float) -> Budget:
    before = study.budget
    time_s = before.time_s
    if "time" in words:
        text: str = words["time"]
        more = text.startswith("+")
        time_s = parse_duration(text.removeprefix("+")) + (more and max(used_s, time_s or 0.0))
    n_trials = parse_count(words["trials"], "--trials", before.n_trials) if "trials" in words else before.n_trials
    epochs = study.problem.epochs(words["epochs"]) if "epochs" in words else before.epochs
    return Budget(n_trials=n_trials, epochs=epochs, time_s=time_s)


def _named(words: Mapping[str, Any], owner: type) -> dict[str, Any]:
    return {name: words[name] for name in owner.__annotations__ if name in words}
