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


class Signals:
    """What was received, and what comes of it."""

    def __init__(self, end_soon: Callable[[str], None]) -> None:
        self.number: int | None = None
        self._end_soon = end_soon
        self._is_patient = False

    def install(self) -> None:
        """Takes the signals, from whoever has them. One that is ignored, as ``nohup`` wants it, stays ignored."""
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._handle)

    @contextmanager
    def patience(self) -> Iterator[None]:
        """Here the first signal calls ``end_soon`` with the reason, and is raised at the end; the second is raised at once."""
        self._is_patient = True
        try:
            yield
        finally:
            self._is_patient = False
        self.check()

    def check(self) -> None:
        """Raises Interrupted if there was a signal."""
        if self.number is not None:
            raise Interrupted(self.number)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        is_first, self.number = self.number is None, int(number)
        if not (is_first and self._is_patient):
            raise Interrupted(number)
        self._end_soon(_WORDS[signal.Signals(number)])


@contextmanager
def interrupts(end_soon: Callable[[str], None]) -> Iterator[Signals]:
    """Raises Interrupted at a signal, but where there is patience."""
    received, before = Signals(end_soon), {number: signal.getsignal(number) for number in SIGNALS}
    try:
        received.install()
        yield received
    except KeyboardInterrupt:  # Ray raises a plain one, whatever a handler raises while it waits
        received.check()
        raise
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
