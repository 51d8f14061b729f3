"""Lazy windows: from a panel of 1,000 series of about 10,000 steps to the first training step of DLinear, and the memory of it.

It runs in a process of its own, whose peak memory holds the imports and the panel too. The panel is made beforehand: reading
a file is not what is measured. Then the time to gather a batch, against one series of as many rows.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datasets.windows.loaders import TrainLoader

N_SERIES, N_STEPS, N_TRAINING_STEPS, N_BATCHES = 1_000, 10_000, 10, 300
LOOKBACK, HORIZON, BATCH = 336, 96, 32


def main() -> None:
    """Measures in a fresh process: this one has imported nothing, and a child begins with its parent's peak."""
    subprocess.run([sys.executable, "-m", "benchmarks.lazy_windows", "child"], check=True)


def child() -> None:
    """Prints seconds and megabytes, and the ratio of the times of a batch."""
    started = time.perf_counter()
    import numpy as np
    import torch

    from datasets.base import IntArray, Panel
    from datasets.config import DataConfig, by_fractions
    from datasets.windows.loaders import TrainLoader, WindowSource
    from datasets.windows.prepare import prepare
    from datasets.windows.splits import holdout
    from datasets.windows.windowing import train_origins
    from models.base import WindowShape
    from models.dlinear import DLinear

    torch.set_num_threads(1)

    def make_panel(lengths: IntArray) -> Panel:
        rows, n_series = int(lengths.sum()), len(lengths)
        return Panel(
            values=np.random.default_rng(0).standard_normal((rows, 1)),
            observed=np.ones((rows, 1), dtype=bool),
            offsets=np.concatenate([[0], np.cumsum(lengths)]),
            start_times=np.datetime64("2024-01-01", "ns") + np.arange(n_series) * np.timedelta64(1, "h"),
            frequency="h",
            series=tuple(f"s{i}" for i in range(n_series)),
            channels=("value",),
        )

    def make_loader(panel: Panel) -> TrainLoader:
        data = prepare(panel, [holdout([by_fractions(int(n), HORIZON) for n in panel.history])], HORIZON)
        source = WindowSource(data, data.stages[0], DataConfig(lookback=LOOKBACK))
        return TrainLoader(source, train_origins(data.stages[0], data.offsets, source.reach, HORIZON), BATCH)

    imports_s, imports_mb = time.perf_counter() - started, peak_mb()
    lengths = np.random.default_rng(0).integers(N_STEPS * 9 // 10, N_STEPS * 11 // 10, N_SERIES, endpoint=True)
    panel = make_panel(lengths)
    panel_mb = peak_mb()
    begun, begun_cpu = time.perf_counter(), time.process_time()
    loader = make_loader(panel)
    model = DLinear(WindowShape(lookback=LOOKBACK, horizon=HORIZON, n_targets=1))
    optimizer = torch.optim.Adam(model.parameters())
    for step, batch in zip(range(N_TRAINING_STEPS), loader, strict=False):
        loss = torch.nn.functional.mse_loss(model(batch.inputs).squeeze(-1), batch.future_target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step == 0:
            first_step_s, first_step_cpu_s = time.perf_counter() - begun, time.process_time() - begun_cpu
    print(f"{N_SERIES:,} series, {len(panel.values):,} rows, {len(loader.origins):,} training windows")
    print(
        f"first training step after {first_step_s:.1f} s ({first_step_cpu_s:.1f} s of CPU), imports {imports_s:.1f} s before it"
    )
    print(f"peak memory {peak_mb():.0f} MB, {panel_mb:.0f} of them with the panel alone, {imports_mb:.0f} after imports")
    loaders = loader, make_loader(make_panel(np.array([len(panel.values)])))
    many, one = (min(times) * 1e6 for times in zip(*[[batch_s(each) for each in loaders] for _ in range(5)], strict=True))
    print(f"a batch of {BATCH}: {many:.0f} us from {N_SERIES:,} series, {one:.0f} us from one: ratio {many / one:.2f}")


def peak_mb() -> float:
    """The most memory that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def batch_s(loader: TrainLoader) -> float:
    """Seconds a batch."""
    batches = iter(loader)
    next(batches)
    started = time.perf_counter()
    for _ in range(N_BATCHES):
        next(batches)
    return (time.perf_counter() - started) / N_BATCHES


if __name__ == "__main__":
    child() if "child" in sys.argv else main()
