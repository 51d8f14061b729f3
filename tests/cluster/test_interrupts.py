from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress

import pytest

from cluster.interrupts import SIGNALS, Interrupted, interrupts


@pytest.fixture(autouse=True)
def nothing_is_ignored() -> Iterator[None]:
    """A shell that runs the tests in the background lets them ignore Ctrl-C."""
    before = {number: signal.signal(number, signal.SIG_DFL) for number in SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_the_first_signal_asks_and_the_second_ends_at_once(number: signal.Signals) -> None:
    reasons: list[str] = []
    with suppress(Interrupted), interrupts(reasons.append) as received, received.patience():
        os.kill(os.getpid(), number)
        assert len(reasons) == 1
        assert received.number == number
        with pytest.raises(Interrupted) as raised:
            os.kill(os.getpid(), number)
    assert raised.value.exit_code == 128 + number


@pytest.mark.parametrize("number", SIGNALS)
def test_without_patience_the_first_ends_at_once(number: signal.Signals) -> None:
    with interrupts(lambda why: pytest.fail("asked")), pytest.raises(Interrupted) as raised:
        os.kill(os.getpid(), number)
    assert raised.value.exit_code == 128 + number


def test_signals_that_another_library_took_are_taken_back() -> None:
    with interrupts(lambda why: None) as received:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        received.install()
        with pytest.raises(Interrupted):
            os.kill(os.getpid(), signal.SIGTERM)


def test_one_signal_is_told_when_the_work_is_over() -> None:
    done = []

    def work() -> None:
        with interrupts(lambda why: None) as received, received.patience():
            os.kill(os.getpid(), signal.SIGTERM)
            done.append("all")

    with pytest.raises(Interrupted):
        work()
    assert done == ["all"]


def test_without_a_signal_nothing_is_raised() -> None:
    with interrupts(lambda why: None) as received, received.patience():
        pass


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interrupts(lambda why: None) as received:
            os.kill(os.getpid(), signal.SIGHUP)
        assert received.number is None
    finally:
        signal.signal(signal.SIGHUP, before)


def test_handlers_are_as_they_were_afterwards() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    with interrupts(lambda why: None):
        assert [signal.getsignal(number) for number in SIGNALS] != before
    assert [signal.getsignal(number) for number in SIGNALS] == before
