"""From Enter to the first training step, and how long a warm slot takes from one trial to the next."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tuner.results.store import RunStore


def main() -> None:
    """Runs a small study and reads its events."""
    with tempfile.TemporaryDirectory() as runs:
        started = time.monotonic()
        command = [
            sys.executable,
            "-m",
            "tuner.run",
            "--space",
            "informer",
            "--trials",
            "6",
            "--epochs",
            "1",
            "--scheduler",
            "none",
        ]
        command += ["--set", "train.windows_per_epoch=64", "--runs", runs, "--name", "start-up"]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        events_file = Path(runs) / "start-up" / "events.jsonl"
        while not events_file.exists() and process.poll() is None:
            time.sleep(0.005)
        opened = time.monotonic() - started
        process.wait()
        events = RunStore.open(Path(runs) / "start-up").events()
    start = events[0]["time_s"]
    report = next(event for event in events if event["kind"] == "report")
    first_step = report["time_s"] - sum(report["timing"].values()) - start
    print(f"Enter to first training step: {opened + first_step:.1f} s, {opened:.1f} s of it until Ray was up")
    ends = {event["number"]: event["time_s"] for event in events if event["kind"] == "tell"}
    warm = []
    for event in events:
        if event["kind"] == "report" and event["number"] >= 2:
            trained_from = event["time_s"] - sum(event["timing"].values())
            before = [end for number, end in ends.items() if end < event["time_s"] and number != event["number"]]
            warm.append(trained_from - max(end for end in before if end <= trained_from))
    print(f"a trial on a warm slot begins to train after {', '.join(f'{seconds:.2f}' for seconds in warm)} s")


if __name__ == "__main__":
    main()
