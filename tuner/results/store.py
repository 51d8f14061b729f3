"""The folder of one run: one writer, any number of readers, a history that outlives a crash. Standard library only.

``events.jsonl`` is the truth: the rows of a run are its events played again, by the writer as they come and by a reader from
the file. What lies in ``trials/`` shows the same to a person, but for the weights: those that an event speaks of are on the
disk before it, and those of the epoch before are removed after it. A crash in between may cost a log its last lines.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO

from search_spaces.base import Config
from tuner.results import schema
from tuner.results.files import append_line, hold, read_json, read_lines, write_atomic, write_json, write_lines
from tuner.results.schema import Row, Standing
from tuner.study.metrics import merit
from tuner.study.trial import Decision, Report, State

Clock = Callable[[], float]

_REPORTED = ("stage", "epoch", "step", "metrics", "stages", "turn", "weights_sha256", "timing")


class RunStore:
    """What came out of one study. Made by ``create`` or ``resume`` to write, by ``open`` to read."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.folder = folder
        self._clock = clock
        self._zero = clock()
        self._time_s = 0.0
        self._n_events = 0
        self._study: dict[str, Any] = {}
        self._rows: dict[int, Row] = {}
        self._begun: dict[int, float] = {}
        self._lock: BinaryIO | None = None
        self.is_complete = False
        """Whether its last driver came to its end."""

    @classmethod
    def create(cls, folder: Path, clock: Clock = time.monotonic) -> RunStore:
        """Makes the folder of a new run, with this process as its one writer.

        Args:
            folder: Must not exist; the folders above it are made.
            clock: Seconds that never go back.

        Raises:
            ValueError: the folder exists, or cannot be made.
        """
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            raise ValueError(f"a study needs a new folder, {folder} exists; give another --name, or remove it") from None
        except OSError as error:
            raise ValueError(f"a study needs a folder to write to, {folder} cannot be made: {error.strerror}") from None
        store = cls(folder, clock)
        store._lock = hold(folder / schema.LOCK)
        return store

    @classmethod
    def open(cls, folder: Path, clock: Clock = time.monotonic) -> RunStore:
        """The run in a folder, as far as it has come.

        Raises:
            LookupError: this is not the folder of a run.
            ValueError: it was written by a newer tuner, or is damaged.
        """
        if not (folder / schema.STUDY).is_file():
            near = folder if folder.is_dir() else folder.parent
            runs = sorted(str(path.parent) for path in near.glob(f"*/{schema.STUDY}"))
            there = f"the runs near it: {', '.join(runs)}" if runs else "python -m tuner.run makes one"
            raise LookupError(f"a run has a {schema.STUDY}, {folder} has none; {there}")
        store = cls(folder, clock)
        store._study = read_json(folder / schema.STUDY)
        for event in store.events():
            store._play(event)
        store._zero -= store._time_s
        return store

    @classmethod
    def resume(cls, folder: Path, clock: Clock = time.monotonic) -> RunStore:
        """The run in a folder, with this process as its one writer from now on. The time between two writers does not count.

        Raises:
            LookupError, ValueError: as ``open``; or another process writes to it.
        """
        cls.open(folder)  # says what is wrong before a lock is made in a folder that is none of ours
        lock = hold(folder / schema.LOCK)
        store = cls.open(folder, clock)
        store._lock = lock
        said: dict[int, list[dict[str, Any]]] = {number: [] for number in store._rows}
        for line in store._said():
            said[line.pop("number")].append(line)
        for number, lines in said.items():  # a crash may have torn the last line, or left one whose event is missing
            store.trial(number).mkdir(parents=True, exist_ok=True)
            write_lines(store.trial(number) / schema.REPORTS, lines)
        store._sweep()
        return store

    def close(self) -> None:
        """Another process may write from now on."""
        if self._lock is not None:
            self._lock.close()

    def write_study(self, study: Mapping[str, Any]) -> None:
        """Stores what is to be done; before anything else. ``study["problem"]["metric"]`` ranks the trials."""
        write_json(self.folder / schema.STUDY, study)
        self._study = read_json(self.folder / schema.STUDY)

    def event(self, kind: str, **fields: Any) -> None:
        """Appends one event, on the disk when this returns. ``fields`` are plain JSON without NaN."""
        event = {"n": self._n_events, "time_s": round(self.time_s(), 3), "kind": kind, **fields}
        append_line(self.folder / schema.EVENTS, event, sync=True)
        self._play(event)

    def start(self, *, study: Mapping[str, Any] = MappingProxyType({}), left_out: Sequence[int] = (), **fields: Any) -> None:
        """A driver begins its work, or goes on with that of another: event ``start``. What was running lost its worker.

        Args:
            study: The parts of the study that are no more what ``study.json`` says.
            left_out: Trials whose configs lie outside the space as it is now.
            **fields: What all trials share.
        """
        self.event("start", study=dict(study), left_out=list(left_out), **fields)

    def config(self, number: int, config: Config, seed: int) -> None:
        """A trial was proposed: event ``ask``. From now on it waits."""
        self.trial(number).mkdir(parents=True, exist_ok=True)  # a crash may have come before the event
        write_json(self.trial(number) / schema.CONFIG, {"number": number, "seed": seed, "config": config})
        self.event("ask", number=number, seed=seed, config=config)

    def begin(self, number: int) -> None:
        """A trial got its slot: event ``begin``."""
        self.event("begin", number=number)

    def report(self, number: int, report: Report) -> None:
        """A trial has trained an epoch: event ``report``, after its weights are safe."""
        before = self._rows[number]
        files = {schema.BEST_WEIGHTS: report.best, schema.LAST: report.last}
        for name, content in files.items():
            if content is not None:
                write_atomic(self._file(number, name, report.epoch), content)
        line = {name: getattr(report, name) for name in _REPORTED}
        append_line(self.trial(number) / schema.REPORTS, line)
        self.event("report", number=number, **line)
        self._log(number, report.log)
        for name, epoch in ((schema.BEST_WEIGHTS, before.best_epoch), (schema.LAST, before.epochs)):
            if files[name] is not None and epoch < report.epoch:
                self._file(number, name, epoch).unlink(missing_ok=True)

    def decision(self, number: int, epoch: int, decision: Decision) -> None:
        """What the scheduler answered: event ``decision``."""
        self.event("decision", number=number, epoch=epoch, decision=decision)

    def pause(self, number: int, note: str, *, counts: bool = False, n_parts: int | None = None) -> None:
        """A running trial has no worker any more, and may go on from its last report: event ``pause``.

        Args:
            number: The trial.
            note: One line: why.
            counts: Whether that is a failure.
            n_parts: Of its batches, from now on; None as before.
        """
        n_parts = self._rows[number].n_parts if n_parts is None else n_parts
        self.event("pause", number=number, note=note, counts=counts, n_parts=n_parts)

    def reopen(self, number: int) -> None:
        """A trial that was over goes on from its last report, under a larger budget or mended code: event ``reopen``."""
        self.event("reopen", number=number)

    def tell(
        self,
        number: int,
        state: State,
        *,
        note: str = "",
        traceback: str = "",
        log: str = "",
        place: str = "",
        out_of_memory: bool = False,
    ) -> None:
        """How a trial ended: event ``tell``. Only one that finished its budget keeps what it needs to go on.

        Args:
            number: The trial.
            state: One that is ``over``.
            note: One line: why it is infeasible or failed.
            traceback: Kept in the trial's error.txt.
            log: The last of what it printed.
            place: Of a failure: equal for the same bug.
            out_of_memory: Why it is infeasible.
        """
        if traceback:
            write_atomic(self.trial(number) / schema.ERROR, traceback.encode())
        self.event("tell", number=number, state=state, note=note, place=place, out_of_memory=out_of_memory)
        self._log(number, log)
        if state in (State.STOPPED, State.INFEASIBLE):
            self._last(number).unlink(missing_ok=True)

    def prune(self, number: int) -> None:
        """Removes the weights of a trial, for good: event ``prune``. Its reports stay, and it can be trained again."""
        row = self._rows[number]
        files = [self._file(number, name, epoch) for name, epoch in _checkpoints(row)]
        self.event("prune", number=number, files=[path.name for path in files])
        for path in files:
            path.unlink(missing_ok=True)

    def opening(self, why: str, **fields: Any) -> None:
        """Test rows are about to be read: event ``opening``, and a line with the date in openings.jsonl."""
        at = datetime.now(UTC).isoformat(timespec="seconds")
        append_line(self.folder / schema.OPENINGS, {"at": at, "why": why, **fields}, sync=True)
        self.event("opening", why=why, **fields)

    def write_scores(self, scores: Sequence[Standing]) -> None:
        """Stores the final comparison, in the order in which it is to be shown."""
        write_json(self.folder / schema.SCORES, {"scores": [asdict(score) for score in scores]})

    def trial(self, number: int) -> Path:
        """The folder of one trial."""
        return self.folder / schema.TRIALS / str(number)

    def time_s(self) -> float:
        """Seconds that this study has been written."""
        return self._clock() - self._zero

    def study(self) -> dict[str, Any]:
        """What ``write_study`` was given, and what later starts have changed."""
        return self._study

    @property
    def metric(self) -> str:
        """The metric that ranks the trials."""
        name: str = self._study["problem"]["metric"]
        return name

    def events(self) -> list[dict[str, Any]]:
        """All events, in order; each has ``n``, ``time_s``, ``kind`` and the fields of its kind."""
        return list(read_lines(self.folder / schema.EVENTS))

    def rows(self) -> list[Row]:
        """The trials by number. Touches no file: a view may ask for it as often as it draws."""
        now = self.time_s()
        return [
            replace(row, duration_s=self._until(number, now)) if row.state is State.RUNNING else row
            for number, row in sorted(self._rows.items())
        ]

    def row(self, number: int) -> Row:
        """One trial; its duration is that of its runs that have ended."""
        return self._rows[number]

    def reports(self, number: int) -> list[Report]:
        """What one trial said, in order, without weights and log."""
        mine = (line for line in self._said() if line.pop("number") == number)
        return [Report(**line) for line in mine]

    def weights(self, number: int) -> bytes:
        """The best weights of a trial that has made a report, those of all stages as one safetensors."""
        return self._file(number, schema.BEST_WEIGHTS, self._rows[number].best_epoch).read_bytes()

    def last(self, number: int) -> bytes | None:
        """What ``Report.last`` of the last report of a trial was; None if there is none: it begins again."""
        return self._last(number).read_bytes() if self.has_last(number) else None

    def has_last(self, number: int) -> bool:
        """Whether a trial could go on from its last report."""
        return self._last(number).exists()

    def checkpoint_bytes(self, number: int) -> int:
        """Bytes of the weights that are kept of a trial."""
        paths = (self._file(number, name, epoch) for name, epoch in _checkpoints(self._rows[number]))
        return sum(path.stat().st_size for path in paths if path.exists())

    def scores(self) -> list[Standing]:
        """The final comparison; empty before it was made."""
        path = self.folder / schema.SCORES
        return [Standing(**score) for score in read_json(path)["scores"]] if path.exists() else []

    def openings(self) -> list[dict[str, Any]]:
        """When test rows were read, and why."""
        return list(read_lines(self.folder / schema.OPENINGS))

    def _file(self, number: int, name: str, epoch: int) -> Path:
        return self.trial(number) / name.format(epoch=epoch)

    def _last(self, number: int) -> Path:
        return self._file(number, schema.LAST, self._rows[number].epochs)

    def _sweep(self) -> None:
        """Removes what a crash has left beside what the events speak of: weights of older epochs, files half written."""
        wanted = {self._file(row.number, name, epoch) for row in self._rows.values() for name, epoch in _checkpoints(row)}
        for path in self.folder.glob(f"{schema.TRIALS}/*/*.safetensors"):
            if path not in wanted:
                path.unlink()
        for path in [path for path in self.folder.rglob(".*") if schema.TEMPORARY.fullmatch(path.name)]:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)

    def _said(self) -> Iterator[dict[str, Any]]:
        """The reports of all trials in order, each with its number."""
        names = ("number", *_REPORTED)
        reports = (event for event in self.events() if event["kind"] == "report")
        return ({name: event[name] for name in names if name in event} for event in reports)

    def _log(self, number: int, text: str) -> None:
        if text:
            with (self.trial(number) / schema.LOG).open("a", encoding="utf-8") as file:
                file.write(text)

    def _until(self, number: int, time_s: float) -> float | None:
        """Seconds that a trial has had a worker, if it has one until ``time_s``; None if it never had."""
        spent = self._rows[number].duration_s
        return (spent or 0.0) + time_s - self._begun[number] if number in self._begun else spent

    def _idle(self, number: int, time_s: float, **changes: Any) -> None:
        """A trial has no worker any more."""
        duration_s = self._until(number, time_s)
        self._begun.pop(number, None)
        self._rows[number] = replace(self._rows[number], duration_s=duration_s, **changes)

    def _play(self, event: Mapping[str, Any]) -> None:
        match event:
            case {"kind": "start", "study": study, "left_out": left_out}:
                self._study = {**self._study, **study}
                for number, row in self._rows.items():
                    if row.state is State.RUNNING:
                        self._idle(number, self._time_s, state=State.PAUSED, note="its driver was lost")
                    self._rows[number] = replace(self._rows[number], left_out=number in left_out)
            case {"kind": "ask", "number": number, "config": config}:
                self._rows[number] = Row(number=number, state=State.WAITING, config=config)
            case {"kind": "begin", "number": number, "time_s": time_s}:
                self._begun[number] = time_s
                self._rows[number] = replace(self._rows[number], state=State.RUNNING, note="")
            case {"kind": "report", "number": number, "epoch": epoch, "metrics": metrics}:
                row = replace(self._rows[number], epochs=epoch)
                found = merit(self.metric, event)
                if row.cost is None or found < row.merit:
                    value, (back, cost) = metrics[self.metric], found
                    row = replace(row, value=value, cost=cost, turn=-back, metrics=metrics, best_epoch=epoch)
                self._rows[number] = row
            case {"kind": "pause", "number": number, "note": note, "counts": counts, "n_parts": n_parts, "time_s": time_s}:
                n_failures = self._rows[number].n_failures + counts
                self._idle(number, time_s, state=State.PAUSED, note=note, n_failures=n_failures, n_parts=n_parts)
            case {"kind": "reopen", "number": number}:
                self._rows[number] = replace(self._rows[number], state=State.PAUSED, note="", n_failures=0)
            case {"kind": "tell", "number": number, "state": state, "note": note, "time_s": time_s}:
                self._idle(number, time_s, state=State(state), note=note)
            case {"kind": "prune", "number": number}:
                self._rows[number] = replace(self._rows[number], pruned=True)
        self.is_complete = event["kind"] == "end"
        self._n_events, self._time_s = event["n"] + 1, event["time_s"]


def _checkpoints(row: Row) -> list[tuple[str, int]]:
    """The files of a trial that should hold weights, with their epochs."""
    if row.pruned:
        return []
    best, last = (schema.BEST_WEIGHTS, row.best_epoch), (schema.LAST, row.epochs)
    return [best] if row.state in (State.STOPPED, State.INFEASIBLE) else [best, last]


def best_row(rows: Sequence[Row]) -> Row | None:
    """The trial with the lowest cost of those whose weights are there; the first of equals. See ``ranked`` for who counts."""
    return next((row for row in ranked(rows) if not row.pruned), None)


def ranked(rows: Sequence[Row]) -> list[Row]:
    """The trials that count, best first: not the infeasible and failed ones, nor those left out."""
    usable = [
        row for row in rows if row.cost is not None and row.state not in (State.INFEASIBLE, State.FAILED) and not row.left_out
    ]
    return sorted(usable, key=lambda row: (row.merit, row.number))
