"""All benchmarks, one after the other, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys

for name in ("step_cost", "start_up", "lazy_windows", "overhead", "zoo"):
    print(f"== {name}", flush=True)
    subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=True)
