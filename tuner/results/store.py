"""The folder of one run: one writer, any number of readers, a history that outlives a crash. Standard library only.

``events.jsonl`` is the truth: the rows of a run are its events played again, by the writer as they come and by a reader from
the file. All that lies in ``trials/`` shows the same to a person.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from search_spaces.base import Config
from tuner.results import schema
from tuner.results.files import append_line, read_json, read_lines, write_atomic, write_json
from tuner.results.schema import Row, Standing
from tuner.study.metrics import rank
from tuner.study.trial import Decision, Report, State

Clock = Callable[[], float]

_REPORTED = ("stage", "epoch", "step", "metrics", "stages", "weights_sha256", "timing")


class RunStore:
    """What came out of one study. Made by ``create`` to write and by ``open`` to read, or to go on writing."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self.folder = folder
        self._clock = clock
        self._zero = clock()
        self._n_events = 0
        self._study: dict[str, Any] = {}
        self._rows: dict[int, Row] = {}
        self._begun: dict[int, float] = {}

    @classmethod
    def create(cls, folder: Path, clock: Clock = time.monotonic) -> RunStore:
        """Makes the folder of a new run.

        Args:
            folder: Must not exist, so that there is one writer; the folders above it are made.
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
        return cls(folder, clock)

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
        time_s = 0.0
        for event in store.events():
            store._play(event)
            store._n_events, time_s = event["n"] + 1, event["time_s"]
        store._zero -= time_s
        return store

    def write_study(self, study: Mapping[str, Any]) -> None:
        """Stores what is to be done; before anything else. ``study["problem"]["metric"]`` ranks the trials."""
        write_json(self.folder / schema.STUDY, study)
        self._study = dict(study)

    def event(self, kind: str, **fields: Any) -> None:
        """Appends one event, on the disk when this returns. ``fields`` are plain JSON without NaN."""
        event = {"n": self._n_events, "time_s": round(self.time_s(), 3), "kind": kind, **fields}
        append_line(self.folder / schema.EVENTS, event, sync=True)
        self._n_events += 1
        self._play(event)

    def config(self, number: int, config: Config, seed: int) -> None:
        """A trial was proposed: event ``ask``. From now on it waits."""
        self.trial(number).mkdir(parents=True)
        write_json(self.trial(number) / schema.CONFIG, {"number": number, "seed": seed, "config": config})
        self.event("ask", number=number, seed=seed, config=config)

    def begin(self, number: int) -> None:
        """A trial got its slot: event ``begin``."""
        self.event("begin", number=number)

    def report(self, number: int, report: Report) -> None:
        """A trial has trained an epoch: event ``report``, after its weights and its log are safe."""
        if report.best is not None:
            write_atomic(self.trial(number) / schema.BEST_WEIGHTS, report.best)
        self._log(number, report.log)
        line = {name: getattr(report, name) for name in _REPORTED}
        append_line(self.trial(number) / schema.REPORTS, line)
        self.event("report", number=number, **line)

    def decision(self, number: int, epoch: int, decision: Decision) -> None:
        """What the scheduler answered: event ``decision``."""
        self.event("decision", number=number, epoch=epoch, decision=decision)

    def tell(self, number: int, state: State, *, note: str = "", traceback: str = "", log: str = "") -> None:
        """How a trial ended: event ``tell``.

        Args:
            number: The trial.
            state: One that is ``over``.
            note: One line: why it is infeasible or failed.
            traceback: Kept in the trial's error.txt.
            log: The last of what it printed.
        """
        self._log(number, log)
        if traceback:
            write_atomic(self.trial(number) / schema.ERROR, traceback.encode())
        self.event("tell", number=number, state=state, note=note)

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
        """What ``write_study`` was given."""
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
            replace(row, duration_s=now - self._begun[number]) if row.state is State.RUNNING else row
            for number, row in sorted(self._rows.items())
        ]

    def reports(self, number: int) -> list[Report]:
        """What one trial said, in order, without weights and log."""
        return [Report(**line) for line in read_lines(self.trial(number) / schema.REPORTS)]

    def weights(self, number: int) -> bytes:
        """The best weights of a trial that has made a report, those of all stages as one safetensors."""
        return (self.trial(number) / schema.BEST_WEIGHTS).read_bytes()

    def scores(self) -> list[Standing]:
        """The final comparison; empty before it was made."""
        path = self.folder / schema.SCORES
        return [Standing(**score) for score in read_json(path)["scores"]] if path.exists() else []

    def openings(self) -> list[dict[str, Any]]:
        """When test rows were read, and why."""
        return list(read_lines(self.folder / schema.OPENINGS))

    def _log(self, number: int, text: str) -> None:
        if text:
            with (self.trial(number) / schema.LOG).open("a", encoding="utf-8") as file:
                file.write(text)

    def _play(self, event: Mapping[str, Any]) -> None:
        match event:
            case {"kind": "ask", "number": number, "config": config}:
                self._rows[number] = Row(number=number, state=State.WAITING, config=config)
            case {"kind": "begin", "number": number, "time_s": time_s}:
                self._begun[number] = time_s
                self._rows[number] = replace(self._rows[number], state=State.RUNNING)
            case {"kind": "report", "number": number, "epoch": epoch, "metrics": metrics, "stages": stages}:
                row = replace(self._rows[number], epochs=epoch)
                cost = rank(self.metric, metrics, stages)
                better = row.cost is None or cost < row.cost
                self._rows[number] = replace(row, value=metrics[self.metric], cost=cost, metrics=metrics) if better else row
            case {"kind": "tell", "number": number, "state": state, "note": note, "time_s": time_s}:
                duration = time_s - self._begun[number] if number in self._begun else None
                self._rows[number] = replace(self._rows[number], state=State(state), note=note, duration_s=duration)


def best_row(rows: Sequence[Row]) -> Row | None:
    """The trial with the lowest cost; the first of equals. Infeasible and failed trials do not count."""
    usable = [row for row in rows if row.cost is not None and row.state not in (State.INFEASIBLE, State.FAILED)]
    return min(usable, key=lambda row: (row.cost, row.number), default=None)
