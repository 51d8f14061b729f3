"""Runs the commands as a user does: another process, from the checkout, without this machine's settings."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def _how(command: str, arguments: tuple[object, ...], environment: dict[str, str]) -> dict[str, Any]:
    return {
        "args": [sys.executable, "-m", f"tuner.{command}", *map(str, arguments)],
        "cwd": ROOT,
        "env": {**os.environ, "COLUMNS": "120", **environment},
        "text": True,
    }


def tuner(command: str, *arguments: object, timeout_s: float = 600, **environment: str) -> subprocess.CompletedProcess[str]:
    """The finished process of ``python -m tuner.<command>``."""
    how = _how(command, arguments, environment)
    return subprocess.run(**how, capture_output=True, timeout=timeout_s, check=False)


def start_tuner(command: str, *arguments: object, **environment: str) -> subprocess.Popen[str]:
    """The running process of ``python -m tuner.<command>`` in a session of its own, with signals as in a shell."""

    def like_a_shell() -> None:  # whoever runs the tests in the background, or under nohup, has had them ignored
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)

    return subprocess.Popen(
        **_how(command, arguments, environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=like_a_shell,
    )
