"""Whether a run folder is whole: what is wrong with it, and what to do. Standard library only; nothing is written.

An error is something that is lost, or that a command would stumble over; a warning is worth a look, and loses nothing. What a
crash leaves and the next resume mends is no fault, and is said all the same. All of it holds while a driver writes.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

from tuner.results import schema, text
from tuner.results.files import holder_of, read_json
from tuner.results.schema import Row
from tuner.results.store import RunStore, best_row
from tuner.study.environment import versions
from tuner.study.study import Study
from tuner.study.trial import State


class Finding(NamedTuple):
    """One line of what the doctor says."""

    level: Literal["ok", "warning", "error"]
    what: str
    """A fact, with its place."""
    advice: str = ""
    """What to do, where there is something to do or to know."""


_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError)
"""What reading a record raises that holds something else than was written."""
_N_LOOKS = 3
_BETWEEN_LOOKS_S = 0.1
"""For a driver between the event of a report and the last of its files."""
_N_NAMED = 3

_KINDS = {
    "best weights": re.compile(r"best\.\d+\.safetensors"),
    "what trials go on from": re.compile(r"last\.\d+\.safetensors"),
    "exported weights": re.compile(r"weights\.(.+\.)?safetensors"),
    "events and reports": re.compile(r".+\.jsonl"),
    "TensorBoard": re.compile(r"events\.out\.tfevents\..+"),
    "other": re.compile(r".*", re.DOTALL),
}


def inspect(folder: Path) -> list[Finding]:
    """All that can be said about a run, without changing it.

    Args:
        folder: Of the run; a driver may be writing to it.

    Raises:
        LookupError: this is not the folder of a run.
    """
    if not any((folder / name).exists() for name in (schema.STUDY, schema.EVENTS, schema.LOCK)):
        RunStore.open(folder)  # which says so, and what is near
    holder = holder_of(folder / schema.LOCK)
    who = f"{holder} writes to it" if holder else "no driver writes to it"
    events, found = _records(folder / schema.EVENTS, held=holder is not None)
    found = [Finding("ok", who), *_study(folder, has_events=bool(events)), *found]
    if not _wrong(found):
        found += _order(events)
    if not _wrong(found):
        try:
            run = _Run.read(folder, held=holder is not None)
        except _UNREADABLE as error:
            found.append(Finding("error", f"{schema.EVENTS} cannot be played: {_said(error)}", _COPY))
        else:
            return [*found, *_versions(run), *_trials(run), *_end(run), *_export(run), *_rest(folder, holder)]
    found.append(Finding("warning", f"{schema.TRIALS}/ and {schema.BEST}/ were not looked at", "mend what is above first"))
    return [*found, *_rest(folder, holder)]


def _rest(folder: Path, holder: str | None) -> list[Finding]:
    """What hangs on no event."""
    _, openings = _records(folder / schema.OPENINGS, held=holder is not None)
    return [*openings, *([] if holder else _left_overs(folder)), _sizes(folder)]


_COPY = "put back a copy of it from before the damage"


@dataclass(frozen=True, kw_only=True)
class _Run:
    """What the events say, to hold the files against."""

    folder: Path
    held: bool
    study: Mapping[str, Any]
    rows: Mapping[int, Row]
    reports: Mapping[int, Sequence[Mapping[str, Any]]]
    """The lines of reports.jsonl by trial."""
    best_sha256: Mapping[int, str]
    """Of the best weights, by trial that has some."""
    n_wanted: int
    last_event: Mapping[str, Any]

    @classmethod
    def read(cls, folder: Path, *, held: bool) -> _Run:
        store = RunStore.open(folder)
        rows, events = {row.number: row for row in store.rows()}, store.events()
        reports: dict[int, list[Mapping[str, Any]]] = {number: [] for number in rows}
        for event in events:
            if event["kind"] == "report":
                line = {name: value for name, value in event.items() if name not in ("n", "time_s", "kind", "number")}
                reports.setdefault(event["number"], []).append(line)
        hashes = {
            number: line["weights_sha256"]
            for number, row in rows.items()
            for line in reports[number]
            if line["epoch"] == row.best_epoch and not row.pruned
        }
        return cls(
            folder=folder,
            held=held,
            study=store.study(),
            rows=rows,
            reports=reports,
            best_sha256=hashes,
            n_wanted=store.study()["budget"]["n_trials"],
            last_event=events[-1] if events else {},
        )

    @property
    def best(self) -> Row | None:
        return best_row(list(self.rows.values()))

    @property
    def has_ended(self) -> bool:
        return self.last_event.get("kind") == "end"

    def resume(self, more: str = "") -> str:
        return f"python -m tuner.run --resume {self.folder}{more}"


def _wrong(found: Sequence[Finding]) -> bool:
    return any(finding.level == "error" for finding in found)


def _said(error: Exception) -> str:
    return f"it has no {error}" if isinstance(error, KeyError) else str(error)


def _records(path: Path, *, held: bool) -> tuple[list[dict[str, Any]], list[Finding]]:
    """The records of a jsonl file that can be read, and what is wrong with the others."""
    content = path.read_bytes() if path.exists() else b""
    *lines, torn = content.split(b"\n")
    records: list[dict[str, Any]] = []
    damaged: list[tuple[int, ValueError]] = []
    for number, line in enumerate(lines, start=1):
        try:
            records.append(schema.checked(json.loads(line), f"line {number}"))
        except ValueError as error:
            damaged.append((number, error))
    found = []
    if damaged:
        number, reason = damaged[0]
        more = f", nor can {len(damaged) - 1} more" if damaged[1:] else ""
        advice = f"{_COPY}, or forget what came after: keep its first {text.count(number - 1, 'line')}"
        found.append(Finding("error", f"line {number} of {path.name} cannot be read{more}: {reason}", advice))
    if torn and not held:
        what = f"the last line of {path.name} is torn, as a crash leaves it"
        found.append(Finding("ok", what, "nothing to do, the next writer cuts it off"))
    return records, found


def _study(folder: Path, *, has_events: bool) -> Iterator[Finding]:
    try:
        Study.from_json(read_json(folder / schema.STUDY), folder)
    except FileNotFoundError:
        advice = "put back a copy of it" if has_events else f"nothing was begun, so remove {folder}"
        yield Finding("error", f"{schema.STUDY} is missing", advice)
    except _UNREADABLE as error:
        yield Finding("error", f"{schema.STUDY} cannot be read: {_said(error)}", _COPY)


def _order(events: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """Whether the events follow one another, and speak of trials that were asked for."""
    asked: set[str] = set()
    before: float = 0
    for n, event in enumerate(events):
        line, number, time_s = f"line {n + 1} of {schema.EVENTS}", repr(event.get("number")), event.get("time_s")
        if event.get("n") != n:
            yield Finding("error", f"{line} has n={event.get('n')} where {n} is due: lines are lost or doubled", _COPY)
            return
        if not isinstance(time_s, int | float):
            yield Finding("error", f"{line} has time_s={time_s!r}, which is no number", _COPY)
            return
        if event.get("kind") == "ask":
            asked.add(number)
        elif "number" in event and number not in asked:
            yield Finding("error", f"{line} speaks of trial {number}, which was never asked for", _COPY)
            return
        if time_s < before:
            yield Finding(
                "warning", f"{line} has time_s={time_s:g} after {before:g}", "durations and --time count wrong by that"
            )
        before = time_s


def _versions(run: _Run) -> Iterator[Finding]:
    recorded, here = run.study.get("versions", {}), versions()
    other = [f"{name} {recorded[name]}, now {here[name]}" for name in recorded if name in here and recorded[name] != here[name]]
    if other:
        yield Finding("warning", f"it was begun with {'; '.join(other)}", "a trial that goes on may differ in its last digits")


def _trials(run: _Run) -> Iterator[Finding]:
    folders = {path.name for path in (run.folder / schema.TRIALS).glob("*") if path.is_dir()}
    for name in sorted(folders - {str(number) for number in run.rows}):
        where = f"{schema.TRIALS}/{name}/"
        if name == str(len(run.rows)):
            if not run.held:
                yield Finding("ok", f"{where} has no event, a crash came before it", "nothing to do, a resume writes it again")
        else:
            yield Finding("warning", f"{where} is of a trial that no event speaks of", "is it from another run? move it away")
    for number in run.rows:
        yield from _trial_as_it_is_now(run, number)
    yield from _open_trials(run)


def _trial_as_it_is_now(run: _Run, number: int) -> list[Finding]:
    """A driver writes and removes files between the look at its events and the look at them; so does a second look."""
    found = list(_trial(run, number))
    for _ in range(_N_LOOKS if run.held else 0):
        if not found:
            break
        time.sleep(_BETWEEN_LOOKS_S)
        found = list(_trial(_Run.read(run.folder, held=True), number))
    return found


def _trial(run: _Run, number: int) -> Iterator[Finding]:
    row, reports, place = run.rows[number], run.reports[number], f"{schema.TRIALS}/{number}"
    folder = run.folder / place
    if not folder.is_dir():
        yield Finding("error", f"{place}/ is missing", "put back a copy of it; its weights and its log are nowhere else")
        return
    try:
        same = read_json(folder / schema.CONFIG)["config"] == row.config
        wrong = "" if same else "is another than that of its event"
    except FileNotFoundError:
        wrong = "is missing"
    except _UNREADABLE:
        wrong = "is damaged"
    if wrong:
        yield Finding("warning", f"{place}/{schema.CONFIG} {wrong}", f"nothing is lost, {schema.EVENTS} has it, which is used")
    yield from _reports(run, f"{place}/{schema.REPORTS}", reports)
    if number in run.best_sha256:
        name = schema.BEST_WEIGHTS.format(epoch=row.best_epoch)
        if wrong := _damage(folder / name, run.best_sha256[number], "its report"):
            needed = number == 0 or row == run.best
            advice = "put back a copy of it" + (", the end of the study needs it" if needed else ", if there is one")
            yield Finding("error", f"{place}/{name}, the best weights of trial {number}, {wrong}", advice)
    if reports and not row.pruned:
        name = schema.LAST.format(epoch=row.epochs)
        wrong = _damage(folder / name)
        if wrong and wrong != _MISSING:
            yield Finding("error", f"{place}/{name} {wrong}", "delete it, so that the trial begins again if it is to go on")
        elif wrong and not row.state.over and not row.left_out:
            yield Finding("warning", f"{place}/{name} {wrong}", f"nothing to do, trial {number} begins again")


def _reports(run: _Run, name: str, reports: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    lines, damaged = _records(run.folder / name, held=run.held)
    by_one = lines[:-1] == reports or lines == reports[:-1]
    if _wrong(damaged) or not (lines == reports or by_one):
        yield Finding("warning", f"{name} is not what the events say", "nothing is lost, a resume writes it again")
    elif lines != reports and not run.held:
        what = f"{name} is a line {'behind' if len(lines) < len(reports) else 'ahead of'} the events, as a crash leaves it"
        yield Finding("ok", what, "nothing to do, a resume mends it")


_MISSING = "is missing"


def _damage(path: Path, sha256: str | None = None, source: str = "") -> str:
    """What is wrong with a safetensors file, in words that follow its name; empty if nothing is.

    Its layout: 8 bytes with the length of the header, the header, which is JSON, and the tensors without a gap between them.
    """
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return _MISSING
    with file:
        size = os.fstat(file.fileno()).st_size
        length = int.from_bytes(file.read(8), "little")
        start = 8 + length
        if start > size:
            return f"is cut off after {text.count(size, 'byte')}"
        try:
            tensors = {name: entry for name, entry in json.loads(file.read(length)).items() if name != "__metadata__"}
            spans = sorted(tuple(map(int, entry["data_offsets"])) for entry in tensors.values())
        except _UNREADABLE:
            return "is damaged: its header is not that of a safetensors file"
        end = 0
        for first, last in spans:
            if first != end or last < first:
                return "is damaged: its header places tensors where they cannot be"
            end = last
        if start + end != size:
            return f"is damaged: it has {text.count(size, 'byte')}, its header speaks of {start + end:,}"
        file.seek(0)
        if sha256 is not None and hashlib.file_digest(file, "sha256").hexdigest() != sha256:
            return f"is damaged: its sha256 is not that of {source}"
    return ""


def _open_trials(run: _Run) -> Iterator[Finding]:
    states = Counter(row.state for row in run.rows.values() if not row.left_out)
    words = ", ".join(f"{n} {state}" for state in State if (n := states[state])) or "none yet"
    what = f"trials: {words}, of {run.n_wanted}"
    if run.held or (run.has_ended and all(state.over for state in states)):
        yield Finding("ok", what)
    else:  # an end that leaves trials open came with the end of its time, or with a bug
        more = " --time +1h" if run.has_ended and not run.last_event.get("broken") else ""
        yield Finding("warning", f"{what}; not all is done", f"{run.resume(more)} goes on")


def _end(run: _Run) -> Iterator[Finding]:
    """Whether a study that came to its end has what is written then."""
    if not run.has_ended or run.held:
        return
    has_best = run.best is not None and not run.last_event.get("broken")
    for name in (schema.TABLE, schema.SUMMARY, *([schema.SCORES, schema.BEST] if has_best else [])):
        if not (run.folder / name).exists():
            yield Finding("error", f"{name} {_MISSING}", _anew(run))
    if (run.folder / schema.SCORES).exists():
        yield from _record(run, schema.SCORES)


def _record(run: _Run, name: str) -> Iterator[Finding]:
    try:
        read_json(run.folder / name)
    except FileNotFoundError:
        yield Finding("error", f"{name} {_MISSING}", _anew(run))
    except ValueError as error:
        yield Finding("error", f"{name} cannot be read: {error}", _anew(run))


def _anew(run: _Run) -> str:
    return f"{run.resume(' --trials +1')} writes it anew when it ends"


def _export(run: _Run) -> Iterator[Finding]:
    best = run.folder / schema.BEST
    if not best.exists() or run.held:
        return
    found = [each for name in (schema.CONFIG, schema.SCALER, schema.STUDY) for each in _record(run, f"{schema.BEST}/{name}")]
    yield from found
    if found:
        return
    sha256 = str(read_json(best / schema.CONFIG).get("weights_sha256"))
    for path in sorted({best / schema.WEIGHTS, *best.glob("*.safetensors")}):
        wrong = _damage(path, sha256 if path.name == schema.WEIGHTS else None, schema.CONFIG)
        if wrong:
            yield Finding("error", f"{schema.BEST}/{path.name} {wrong}", _anew(run))


def _left_overs(folder: Path) -> Iterator[Finding]:
    paths = [path for path in sorted(folder.rglob(".*")) if schema.TEMPORARY.fullmatch(path.name)]
    if paths:
        named = ", ".join(str(path.relative_to(folder)) for path in paths[:_N_NAMED])
        more = f" and {len(paths) - _N_NAMED} more" if len(paths) > _N_NAMED else ""
        yield Finding(
            "ok", f"writes that a crash cut short have left {named}{more}", "nothing to do, the next resume removes them"
        )


def _sizes(folder: Path) -> Finding:
    sizes: Counter[str] = Counter()
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):  # a driver may remove it just now
                kind = next(kind for kind, pattern in _KINDS.items() if pattern.fullmatch(name))
                sizes[kind] += (Path(place) / name).stat().st_size
    parts = [f"{kind} {text.size(sizes[kind])}" for kind in _KINDS if sizes[kind]]
    return Finding("ok", f"it takes {text.size(sizes.total())}: {', '.join(parts)}")
