"""How a trial ended."""

from __future__ import annotations

from dataclasses import dataclass

from tuner.study.trial import State


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The last word of a trial. An error is never lost in a worker's log."""

    state: State
    reason: str = ""
    """One line for people: why it is infeasible or failed."""
    place: str = ""
    """Exception, file and line of a failure: equal for the same bug."""
    traceback: str = ""
    out_of_memory: bool = False
    """Of an infeasible trial: the machine's memory is the reason."""
    log: str = ""
    """What was printed or warned since the last report."""
