"""The view of a running study: a table that redraws itself on a terminal, plain lines on a pipe. Needs rich."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from tuner.results import text
from tuner.results.schema import Row, RungCount
from tuner.results.store import best_row
from tuner.study.metrics import Merit
from tuner.study.trial import State

MAX_LINES = 25
"""Of the table, whatever the height of the terminal."""
MIN_INTERVAL_S = 0.25
"""Between two drawings."""
_N_BEST = 5
_STYLES = {State.RUNNING: "cyan", State.PAUSED: "yellow", State.INFEASIBLE: "yellow", State.FAILED: "red", State.STOPPED: "dim"}


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A running study at one moment."""

    rows: Sequence[Row]
    rungs: Sequence[RungCount]
    n_trials: int
    """That the budget allows."""
    n_slots: int
    elapsed_s: float
    eta_s: float | None
    """Until the study is over; None while nobody knows."""
    metric: str
    dashboard_url: str | None = None


class View(Protocol):
    """Shows a study to whoever started it."""

    def update(self, snapshot: Snapshot) -> None:
        """Call it as often as something happens: a terminal is drawn four times a second at most."""

    def close(self) -> None:
        """Leaves the terminal as it was; shows nothing more."""


def make_view(console: Console, *, study: str, clock: Callable[[], float] = time.monotonic) -> View:
    """A live table on a terminal, plain lines anywhere else.

    Args:
        console: Where to write to.
        study: The name of the study.
        clock: Seconds that never go back.
    """
    return _LiveTable(console, study, clock) if console.is_terminal else _Lines(console)


class _LiveTable:
    def __init__(self, console: Console, study: str, clock: Callable[[], float]) -> None:
        self._console = console
        self._study = study
        self._clock = clock
        self._drawn: float | None = None
        self._live = Live(console=console, auto_refresh=False, transient=True, vertical_overflow="crop")
        self._live.start()

    def update(self, snapshot: Snapshot) -> None:
        now = self._clock()
        if self._drawn is None or now - self._drawn >= MIN_INTERVAL_S:
            self._drawn = now
            height = min(MAX_LINES, self._console.size.height - 1)
            self._live.update(view(snapshot, study=self._study, n_lines=height), refresh=True)

    def close(self) -> None:
        self._live.stop()


class _Lines:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._idle: dict[int, State] = {}
        """Trials that are over or paused, as they were last seen."""
        self._best: Merit | None = None
        self._started = False

    def update(self, snapshot: Snapshot) -> None:
        if not self._started and snapshot.dashboard_url:
            self._print(f"dashboard: {snapshot.dashboard_url}")
        before = self._idle
        self._idle = {row.number: row.state for row in snapshot.rows if row.state.over or row.state is State.PAUSED}
        n_over = sum(state.over for state in self._idle.values())
        done = f"{text.clock(snapshot.elapsed_s)}  {n_over}/{snapshot.n_trials}"
        if not self._started and snapshot.rows:
            self._print(f"{done}  going on with {text.count(len(snapshot.rows), 'trial')}, of which {n_over} are over")
            before = self._idle
        self._started = True
        for row in snapshot.rows:
            if row.number in self._idle and before.get(row.number) is not row.state:
                what = row.note or f"{snapshot.metric} {text.number(row.value)}"
                self._print(f"{done}  trial {row.number} {row.state} after {text.count(row.epochs, 'epoch')}: {what}")
        best = best_row(snapshot.rows)
        if best is not None and (self._best is None or best.merit < self._best):
            self._best = best.merit
            self._print(f"{done}  best so far: {snapshot.metric} {text.number(best.value)} by trial {best.number}")

    def close(self) -> None:
        pass

    def _print(self, line: str) -> None:
        self._console.print(line, soft_wrap=True, markup=False, highlight=False)


def view(snapshot: Snapshot, *, study: str, n_lines: int = MAX_LINES) -> RenderableType:
    """The live table: the study, its running, best and latest trials, its rungs; at most ``n_lines`` lines."""
    states = Counter(row.state for row in snapshot.rows)
    best = best_row(snapshot.rows)
    n_over = sum(row.state.over for row in snapshot.rows)
    head = Text(no_wrap=True, overflow="ellipsis")
    head.append(study, style="bold cyan")
    head.append(f"  {n_over} of {snapshot.n_trials} trials, {states[State.RUNNING]} of {snapshot.n_slots} slots busy")
    head.append(f"  {text.clock(snapshot.elapsed_s)}", style="bold")
    head.append(f", about {text.clock(snapshot.eta_s)} to go" if snapshot.eta_s is not None else "", style="dim")
    lines = [head]
    if best is not None:
        lines.append(
            _line(f"best {snapshot.metric} {text.number(best.value)} by trial {best.number}", _against(snapshot, best))
        )
    feet = []
    if snapshot.rungs:
        rungs = "; ".join(f"epoch {rung.epoch}: {rung.n_reached} reached, {rung.n_stopped} stopped" for rung in snapshot.rungs)
        feet.append(_line("", rungs))
    if snapshot.dashboard_url:
        feet.append(_line("", f"dashboard {snapshot.dashboard_url}"))
    chosen = _choose(snapshot.rows, max(1, n_lines - len(lines) - len(feet) - 3))
    parts: list[RenderableType] = [*lines, Text()]
    if chosen:
        parts += [_table(chosen, snapshot, best), Text()] if feet else [_table(chosen, snapshot, best)]
    return Group(*parts, *feet)


def _line(strong: str, rest: str) -> Text:
    return Text.assemble((strong, "bold"), (rest, "dim"), no_wrap=True, overflow="ellipsis")


def _against(snapshot: Snapshot, best: Row) -> str:
    baseline = next((row for row in snapshot.rows if row.number == 0), None)
    if baseline is None or baseline.value is None or best.value is None or best.number == 0:
        return ", the baseline" if best.number == 0 else ""
    return f", {text.compared(snapshot.metric, best.value, baseline.value, 'the baseline')}"


def _choose(rows: Sequence[Row], n: int) -> list[Row]:
    """At most ``n`` trials: running ones (to two thirds), then the best, then the latest; in this order, none twice."""
    running = [row for state in (State.RUNNING, State.PAUSED) for row in rows if row.state is state]
    over = [row for row in rows if row.state.over]
    usable = [row for row in over if row.cost is not None and row.state in (State.FINISHED, State.STOPPED)]
    best = sorted(usable, key=lambda row: (row.merit, row.number))[:_N_BEST]
    latest = [row for row in reversed(over) if row not in best]
    first = running[: n if not over else max(1, 2 * n // 3)]
    return [*first, *best, *latest][:n]


def _table(chosen: Sequence[Row], snapshot: Snapshot, best: Row | None) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0), expand=True)
    for name in ("trial", "state", "epochs", snapshot.metric, "time"):
        table.add_column(name, justify="left" if name == "state" else "right", no_wrap=True)
    table.add_column("config", no_wrap=True, overflow="ellipsis", ratio=1)
    varied = _varied(snapshot.rows)
    for row in chosen:
        style = "green" if best is not None and row.number == best.number else _STYLES.get(row.state, "")
        what = row.note or ("baseline" if row.number == 0 else text.short_config(row.config, varied))
        cells = (str(row.number), row.state, str(row.epochs), text.number(row.value), text.clock(row.duration_s), what)
        table.add_row(*(Text(cell) for cell in cells), style=style)
    return table


def _varied(rows: Sequence[Row]) -> dict[str, object]:
    """The keys that tell the trials apart."""
    first = rows[0].config
    return {key: None for row in rows for key, value in row.config.items() if key not in first or first[key] != value}
