"""Runs the commands as a user does: another process, from the checkout, without this machine's settings."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def tuner(command: str, *arguments: object, timeout_s: float = 240, **environment: str) -> subprocess.CompletedProcess[str]:
    """The finished process of ``python -m tuner.<command>``."""
    return subprocess.run(
        [sys.executable, "-m", f"tuner.{command}", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "120", **environment},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
