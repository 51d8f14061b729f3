"""Metrics of a study on a real Ray, read where Prometheus reads them."""

from __future__ import annotations

import re
import time
import urllib.request
from collections.abc import Iterator

import pytest
import ray

from cluster.monitoring import MIN_INTERVAL_S, Metrics
from tuner.results.schema import Row
from tuner.study.trial import State

ROWS = [
    Row(number=0, state=State.FINISHED, config={}, epochs=4, value=0.5),
    Row(number=1, state=State.STOPPED, config={}, epochs=1, value=0.25),
    Row(number=2, state=State.RUNNING, config={}, epochs=2, value=0.75),
    Row(number=3, state=State.RUNNING, config={}),
    Row(number=4, state=State.FAILED, config={}, epochs=3, value=0.125),
]
EXPECTED = {
    'trials{state="finished"}': 1,
    'trials{state="stopped"}': 1,
    'trials{state="running"}': 2,
    'trials{state="failed"}': 1,
    'trials{state="waiting"}': 0,
    'trials{state="infeasible"}': 0,
    'trials{state="paused"}': 0,
    'best_value{metric="mse_scaled"}': 0.25,
    "busy_slots{}": 2,
    "slots{}": 3,
    "epochs_total{}": 10,
}


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module", autouse=True)
def a_ray() -> Iterator[None]:
    ray.init(
        address="local",
        num_cpus=1,
        include_dashboard=False,
        log_to_driver=False,
        _system_config={"metrics_report_interval_ms": 300},
    )
    yield
    ray.shutdown()


def served(study: str) -> dict[str, float]:
    """Our metrics of one study as the agent of the node serves them; names without the common part and tags."""
    node = ray.nodes()[0]
    with urllib.request.urlopen(f"http://{node['NodeManagerAddress']}:{node['MetricsExportPort']}/metrics") as page:
        lines = re.findall(r"^ray_tuner_(\w+)\{(.*)\} (\S+)$", page.read().decode(), re.MULTILINE)
    found = {}
    for name, text, value in lines:
        tags = dict(re.findall(r'(\w+)="([^"]*)"', text))
        if tags["study"] == study:
            ours = ",".join(f'{key}="{tags[key]}"' for key in ("metric", "state") if key in tags)
            found[f"{name}{{{ours}}}"] = float(value)
    return found


def served_soon(study: str, expected: dict[str, float]) -> dict[str, float]:
    """What is served when it is as expected, or after 30 seconds."""
    end = time.monotonic() + 30
    while (found := served(study)) != expected and time.monotonic() < end:
        time.sleep(0.3)
    return found


def test_the_node_serves_what_the_rows_say() -> None:
    Metrics("one", "mse_scaled", n_slots=3).changed(ROWS)
    assert served_soon("one", EXPECTED) == EXPECTED


def test_changes_in_quick_succession_are_skipped_but_for_the_last() -> None:
    clock = Clock()
    metrics = Metrics("two", "mse_scaled", n_slots=3, clock=clock)
    metrics.changed([])
    clock.now = MIN_INTERVAL_S / 2
    metrics.changed(ROWS)
    metrics.changed(ROWS[:1], last=True)
    expected = {**dict.fromkeys(EXPECTED, 0.0), 'trials{state="finished"}': 1, 'best_value{metric="mse_scaled"}': 0.5}
    expected |= {"slots{}": 3, "epochs_total{}": 4}
    assert served_soon("two", expected) == expected
