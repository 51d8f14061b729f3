"""A training step of our models against plain transcriptions of their papers, and against the public code if it is there.

All take the same windows (batch 32, 96 -> 24, 7 channels, 4 calendar features) at the same sizes on one thread, each in a
process of its own, in turns: a round times every one of them once, ratios are medians over rounds. Times are those of the CPU:
one busy thread takes as long by the clock on a machine of its own, and longer beside others. Then a step of every model at the
baseline of its space, on nyc_airports (15 channels, horizon 24).

The public code is the Time-Series-Library in a folder of yours: ``python -m benchmarks.zoo --public DIR``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import torch

import models
import search_spaces
from datasets.windows.loaders import TrainLoader, WindowSource
from datasets.windows.windowing import train_origins
from models.layers.extras import MissingExtra
from tuner.study.problem_data import read_problem
from tuner.study.schema import defaults_of, split_config
from tuner.study.study import Problem
from tuner.training.network import build
from tuner.training.optimizer import make_optimizer

SIZES: dict[str, dict[str, Any]] = {
    "informer": {
        "n_heads": 4,
        "head_width": 16,
        "n_encoder_layers": 2,
        "n_decoder_layers": 1,
        "feedforward": 256,
        "dropout": 0.05,
        "factor": 5,
    },
    "autoformer": {
        "n_heads": 1,
        "head_width": 64,
        "n_encoder_layers": 2,
        "n_decoder_layers": 1,
        "feedforward": 256,
        "dropout": 0.05,
        "factor": 3,
        "kernel": 25,
    },
    "timesnet": {"width": 16, "feedforward": 32, "n_layers": 2, "n_periods": 5, "n_kernels": 6, "dropout": 0.1},
    "patchtst": {
        "patch_length": 16,
        "stride": 8,
        "n_heads": 4,
        "head_width": 4,
        "n_layers": 3,
        "feedforward": 128,
        "dropout": 0.3,
    },
    "itransformer": {"n_heads": 8, "head_width": 16, "n_layers": 2, "feedforward": 128, "dropout": 0.1},
    "dlinear": {"kernel": 25},
}
"""Those of the authors' ETTh1 recipes, with a width of 64 for 512 (informer, autoformer), 128 for 256 (itransformer)."""

TURN_S = 1.0


class Stepper:
    """A process that repeats the step of one model."""

    def __init__(self, kind: str, name: str, folder: Path | None = None) -> None:
        command = [
            sys.executable,
            "-m",
            "benchmarks.zoo_step",
            kind,
            name,
            json.dumps(SIZES[name]),
            *([folder] if folder else []),
        ]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        n_parameters, memory = self._answer().split()
        self.n_parameters, self.memory_mb = int(n_parameters), float(memory)
        self._n_steps = max(1, round(TURN_S / self._seconds(2)))

    def _answer(self) -> str:
        assert self._process.stdout
        if line := self._process.stdout.readline():
            return line
        raise SystemExit(f"{' '.join(map(str, self._process.args))}: stopped before it answered")  # type: ignore[arg-type]

    def _seconds(self, n_steps: int) -> float:
        print(n_steps, file=self._process.stdin, flush=True)
        return float(self._answer())

    def turn(self) -> float:
        """Milliseconds of CPU of a step, in the mean over about a second of them."""
        return self._seconds(self._n_steps) * 1000

    def close(self) -> None:
        """Ends the process."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()


def compare(name: str, folder: Path | None, n_rounds: int) -> None:
    """Prints one row of ms a step, ratios and peak memory."""
    steppers = {kind: Stepper(kind, name) for kind in ("ours", "plain")}
    if folder:
        steppers["public"] = Stepper("public", name, folder)
    rounds = [{kind: stepper.turn() for kind, stepper in steppers.items()} for _ in range(n_rounds)]
    for stepper in steppers.values():
        stepper.close()

    def ratio(a: str, b: str) -> str:
        return f"{statistics.median(r[a] / r[b] for r in rounds):.2f}" if b in steppers else "-"

    def cells(values: list[str]) -> str:
        return " | ".join([*values, "-"][:3])

    times = cells([f"{statistics.median(r[kind] for r in rounds):.1f}" for kind in steppers])
    memory = cells([f"{stepper.memory_mb:.0f}" for stepper in steppers.values()])
    counts = cells([f"{stepper.n_parameters:,}" for stepper in steppers.values()])
    ratios = f"{ratio('plain', 'ours')} | {ratio('plain', 'public')}"
    print(f"| {name} | {times} | {ratios} | {memory} | {counts} |", flush=True)


def baseline_step(name: str, n_rounds: int) -> float:
    """Milliseconds of CPU of a step of a model at the baseline of its space, batch 32: the median over steps."""
    config = {**search_spaces.get(name).baseline_config(24, defaults_of(name)), "train.batch_size": 32}
    _, train, data_config = split_config(config)
    data = read_problem(Problem(dataset="nyc_airports", horizon=24, metric="mse_scaled"), data_config.lookback).for_trials()
    source = WindowSource(data, data.stages[0], data_config)
    origins = train_origins(data.stages[0], data.offsets, source.reach, 24)
    batch = next(iter(TrainLoader(source, origins, train.batch_size, 32, seed=0)))
    network, *_ = build(name, config, data, seed=0)
    optimizer = make_optimizer(train, [network.parameters()])
    times = []
    for _ in range(2 + 3 * n_rounds):
        started = time.process_time()
        optimizer.zero_grad()
        torch.autograd.backward(network.loss(batch))
        optimizer.step()
        times.append(time.process_time() - started)
    return statistics.median(times[2:]) * 1000


def main() -> None:
    """Prints two tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=models.names(), help="only this one")
    parser.add_argument("--public", type=Path, metavar="DIR", help="a copy of the Time-Series-Library")
    parser.add_argument("--repeats", type=int, default=7, metavar="N", help="rounds")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    chosen = [arguments.model] if arguments.model else models.names()
    kinds = ("ours", "plain", "public")
    titles = ["model", *(f"{kind}, ms" for kind in kinds), "plain / ours", "plain / public"]
    titles += [f"{kind}, {what}" for what in ("MB", "parameters") for kind in kinds]
    print(f"| {' | '.join(titles)} |\n|{'---|' * len(titles)}")
    for name in SIZES:
        if name in chosen:
            compare(name, arguments.public, arguments.repeats)
    print("\n| model at its baseline, batch 32 | ms a step |\n|---|---|")
    for name in chosen:
        try:
            print(f"| {name} | {baseline_step(name, arguments.repeats):.1f} |", flush=True)
        except MissingExtra as error:
            print(f"| {name} | not run: {error} |")


if __name__ == "__main__":
    main()
