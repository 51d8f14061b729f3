"""What another study found, for a new one to begin with. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from search_spaces.base import Config
from tuner.results.store import RunStore
from tuner.study.metrics import MEANING_OF_LOSS, Merit, merit
from tuner.study.schema import defaults_of
from tuner.study.trial import State


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """How one trial of another study ended."""

    study: str
    """The other study."""
    number: int
    config: Config
    state: State
    values: tuple[tuple[int, float], ...]
    """(epoch, cost that it had come to), rising in epoch; empty if there was no report."""
    out_of_memory: bool
    """Why an infeasible trial is infeasible."""


def evidence_of(other: RunStore, study: Mapping[str, Any]) -> list[Evidence]:
    """The trials of another run that have ended, in the order of their ends; failed ones say nothing of their configs.

    Args:
        other: The run; it may not be complete.
        study: What ``study.json`` of the new study will say.

    Raises:
        ValueError: costs of the two cannot be compared.
    """
    _check_comparable(other, study)
    values: dict[int, tuple[tuple[int, float], ...]] = {}
    best: dict[int, Merit] = {}
    ends: dict[int, Mapping[str, Any]] = {}
    for event in other.events():
        match event:
            case {"kind": "report", "number": number, "epoch": epoch}:
                found = merit(other.metric, event)
                best[number] = min(found, best.get(number, found))
                values[number] = (*values.get(number, ()), (epoch, best[number][1]))
            case {"kind": "tell", "number": number}:
                ends[number] = event
            case {"kind": "reopen", "number": number}:
                ends.pop(number, None)
    return [
        Evidence(
            study=other.folder.resolve().name,
            number=number,
            config=other.row(number).config,
            state=State(end["state"]),
            values=values.get(number, ()),
            out_of_memory=end["out_of_memory"],
        )
        for number, end in ends.items()
        if end["state"] != State.FAILED
    ]


def _check_comparable(other: RunStore, study: Mapping[str, Any]) -> None:
    here, there = _meaning_of_a_cost(study), _meaning_of_a_cost(other.study())
    for name, value in here.items():
        if there[name] != value:
            raise ValueError(
                f"--warm-start needs a study with the same {name}, got {there[name]} in {other.folder} and {value} here; "
                f"make them the same, or leave --warm-start out"
            )


def _meaning_of_a_cost(study: Mapping[str, Any]) -> dict[str, Any]:
    """What must be equal for costs to be comparable, under names that a person reads; the coarse before the fine."""
    space, problem, data = study["space"], study["problem"], study["data"]
    stages = [*data["validation"], data["test"]]
    meaning = {
        "model": space["model"],
        "metric": problem["metric"],
        "horizon": problem["horizon"],
        "--last-step-only": problem.get("last_step_only", False),
        "--whole-numbers": problem.get("whole_numbers", False),
        "data (sha256)": data["sha256"],
        "stages": ", ".join(stage["name"] for stage in stages),
    }
    if data.get("chained", False):  # the epochs at which one stage ends and the next begins
        meaning["--epochs"] = study["budget"]["epochs"] // len(data["validation"])
    if problem["metric"] == "loss":
        defaults = defaults_of(space["model"])
        meaning |= {key: space["search"].get(key, {"value": defaults[key]})["value"] for key in MEANING_OF_LOSS}
    for stage in stages:
        for series, train, score in zip(data["series"], stage["train"], stage["score"], strict=True):
            rows = "train {}:{}, score {}:{}".format(*train, *score)
            meaning[f"rows of series {series} in stage {stage['name']}"] = rows
    return meaning
