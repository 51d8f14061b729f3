"""The user's mistakes end with one sentence and exit code 2; our own errors keep their traceback."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn


@contextmanager
def user_mistakes() -> Iterator[None]:
    """Around code that checks what a user gave: what it raises is the user's to mend."""
    try:
        yield
    except (ValueError, TypeError, LookupError, OSError) as error:
        fail(str(error.args[0]) if isinstance(error, LookupError) and error.args else str(error))


def fail(sentence: str, code: int = 2) -> NoReturn:
    """Prints the sentence and ends the process."""
    sys.stderr.write(f"error: {sentence}\n")
    raise SystemExit(code)
