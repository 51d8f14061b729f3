from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import pytest
from rich.console import Console

from search_spaces.base import Config
from tuner.results.live import MAX_LINES, Snapshot, make_view, view
from tuner.results.schema import Row, RungCount
from tuner.study.trial import State


def row(number: int, state: State = State.RUNNING, value: float | None = None, **fields: Any) -> Row:
    config: Config = {"model.width": 64, "train.learning_rate": 10.0**-number}
    return Row(number=number, state=state, config=config, value=value, epochs=2, duration_s=65.0, **fields)


def snapshot(rows: Sequence[Row], **fields: Any) -> Snapshot:
    return Snapshot(
        **{
            "rows": rows,
            "rungs": [],
            "n_trials": 24,
            "n_slots": 4,
            "elapsed_s": 3723,
            "eta_s": 60,
            "metric": "mse_scaled",
            **fields,
        }
    )


def terminal(width: int = 80) -> Console:
    return Console(file=io.StringIO(), force_terminal=True, width=width, height=50, color_system=None)


def printed(console: Console) -> str:
    return str(console.file.getvalue())  # type: ignore[attr-defined]


def drawn(shown: Snapshot, n_lines: int = MAX_LINES) -> list[str]:
    console = terminal()
    console.print(view(shown, study="demo", n_lines=n_lines))
    return printed(console).splitlines()


def test_the_head_says_how_far_the_study_has_come() -> None:
    lines = drawn(snapshot([row(0, State.FINISHED, 0.4), row(1, value=0.3), row(2)]))
    assert lines[0].rstrip() == "demo  1 of 24 trials, 2 of 4 slots busy  1:02:03, about 1:00 to go"
    assert lines[1].rstrip() == "best mse_scaled 0.3000 by trial 1, 25 % lower than the baseline"


def test_a_line_of_the_table_is_a_trial() -> None:
    assert "    1  running       2      0.3000  1:05  learning_rate 0.1" in "\n".join(
        drawn(snapshot([row(0), row(1, value=0.3)]))
    )


def test_the_table_of_a_large_study_has_at_most_25_lines_of_80_columns() -> None:
    rows = [row(n, State.RUNNING if n % 3 == 0 else State.FINISHED, 1.0 / (n + 1)) for n in range(500)]
    lines = drawn(snapshot(rows, rungs=[RungCount(epoch, 10, 5) for epoch in range(20)], dashboard_url="http://127.0.0.1:8265"))
    assert len(lines) == MAX_LINES
    assert max(map(len, lines)) <= 80


def test_running_trials_come_before_the_best_and_these_before_the_latest() -> None:
    over = [row(n, State.STOPPED, 0.1 * n) for n in range(1, 9)]
    lines = drawn(snapshot([row(0), *over, row(9)]))
    assert [int(line.split()[0]) for line in lines if " running " in line or " stopped " in line] == [
        0,
        9,
        1,
        2,
        3,
        4,
        5,
        8,
        7,
        6,
    ]


def test_an_infeasible_trial_shows_why() -> None:
    assert any("Diverged: nan" in line for line in drawn(snapshot([row(0, State.INFEASIBLE, note="Diverged: nan")])))


def test_rungs_and_dashboard_are_named_below() -> None:
    lines = drawn(snapshot([row(0)], rungs=[RungCount(1, 8, 4), RungCount(3, 4, 2)], dashboard_url="http://127.0.0.1:8265"))
    assert lines[-2].rstrip() == "epoch 1: 8 reached, 4 stopped; epoch 3: 4 reached, 2 stopped"
    assert lines[-1].rstrip() == "dashboard http://127.0.0.1:8265"


def test_a_study_that_has_just_begun_can_be_drawn() -> None:
    assert "0 of 24 trials" in drawn(snapshot([], eta_s=None))[0]


@pytest.mark.parametrize(("seconds", "n_drawn"), [([0, 0.1, 0.2], 1), ([0, 0.1, 0.26], 2)])
def test_a_terminal_is_drawn_four_times_a_second_at_most(seconds: list[float], n_drawn: int) -> None:
    console, times = terminal(), iter(seconds)
    watcher = make_view(console, study="demo", clock=lambda: next(times))
    for _ in seconds:
        watcher.update(snapshot([row(0)]))
    assert printed(console).count("demo  0 of 24") == n_drawn
    watcher.close()


def test_a_pipe_gets_one_line_for_what_an_earlier_driver_did_and_one_for_each_pause() -> None:
    console = Console(file=io.StringIO(), width=20)
    watcher = make_view(console, study="demo")
    before, paused = row(0, State.FINISHED, 0.4), row(1, State.PAUSED, 0.6, note="its worker was lost")
    for rows in ([before, row(1, State.WAITING)], [before, paused], [before, paused], [before, row(1, State.RUNNING, 0.6)]):
        watcher.update(snapshot(rows))
    assert printed(console).splitlines() == [
        "1:02:03  1/24  going on with 2 trials, of which 1 are over",
        "1:02:03  1/24  best so far: mse_scaled 0.4000 by trial 0",
        "1:02:03  1/24  trial 1 paused after 2 epochs: its worker was lost",
    ]


def test_a_pipe_gets_a_line_when_a_trial_ends_or_a_best_appears() -> None:
    console = Console(file=io.StringIO(), width=20)
    watcher = make_view(console, study="demo")
    for rows in (
        [],
        [row(0, value=0.4)],
        [row(0, value=0.4)],
        [row(0, State.FINISHED, 0.4), row(1, State.FAILED, note="KeyError: [a]")],
    ):
        watcher.update(snapshot(rows))
    assert printed(console).splitlines() == [
        "1:02:03  0/24  best so far: mse_scaled 0.4000 by trial 0",
        "1:02:03  2/24  trial 0 finished after 2 epochs: mse_scaled 0.4000",
        "1:02:03  2/24  trial 1 failed after 2 epochs: KeyError: [a]",
    ]


def test_a_line_leaves_the_process_at_once() -> None:
    class Pipe(io.StringIO):
        flushed = ""

        def flush(self) -> None:
            self.flushed = self.getvalue()

    make_view(Console(file=(pipe := Pipe())), study="demo").update(snapshot([row(0, State.FINISHED, 0.4)]))
    assert pipe.flushed.count("\n") == 2
