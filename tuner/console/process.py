"""What a process reads only at its start is set by starting it again."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping


def restart_with(environment: Mapping[str, str], module: str) -> None:
    """Runs ``python -m module``, same arguments, in the place of this process, unless the environment is right already."""
    if any(os.environ.get(name) != value for name, value in environment.items()):
        sys.stdout.flush()
        os.execve(sys.executable, [sys.executable, "-m", module, *sys.argv[1:]], {**os.environ, **environment})
