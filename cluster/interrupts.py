"""Signals that ask a study to end: the first lets running trials finish their epoch, the second ends it at once."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_WORDS = {signal.SIGINT: "it was interrupted", signal.SIGTERM: "it was told to end", signal.SIGHUP: "its terminal was closed"}


class Interrupted(KeyboardInterrupt):
    """A signal ended the study."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number
        """As shells have it: 130 for Ctrl-C."""


class _Received:
    def __init__(self) -> None:
        self.number: int | None = None

    def check(self) -> None:
        """Raises Interrupted if there was a signal."""
        if self.number is not None:
            raise Interrupted(self.number)


@contextmanager
def interrupts(end_soon: Callable[[str], None]) -> Iterator[_Received]:
    """Calls ``end_soon`` with the reason at the first signal, and raises Interrupted at the second.

    A signal that this process was started to ignore, as ``nohup`` does, stays ignored.
    """
    received = _Received()

    def handle(number: int, frame: FrameType | None) -> None:
        is_second, received.number = received.number is not None, int(number)
        if is_second:
            raise Interrupted(number)
        end_soon(_WORDS[signal.Signals(number)])

    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:
                signal.signal(number, handle)
        yield received
    except KeyboardInterrupt:  # Ray raises a plain one, whatever a handler raises while it waits
        received.check()
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
