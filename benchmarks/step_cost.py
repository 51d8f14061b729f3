"""A training step of Informer (width 64, lookback 96) through loader, module and Trainer, against a bare PyTorch loop.

Both take the same batches, in turns within one process, on one thread.
"""

from __future__ import annotations

import statistics
import time

import torch

from datasets.config import DataConfig
from datasets.windows.loaders import TrainLoader, WindowSource
from datasets.windows.windowing import train_origins
from search_spaces.base import Config
from tuner.study.problem_data import read_problem
from tuner.study.study import Problem
from tuner.training.module import ForecastModule
from tuner.training.network import build
from tuner.training.optimizer import make_optimizer
from tuner.training.protocols import Lockstep
from tuner.training.trainer import make_trainer

CONFIG: Config = {
    "data.lookback": 96,
    "model.n_heads": 4,
    "model.head_width": 16,
    "model.feedforward": 256,
    "train.windows_per_epoch": 1600,
}
N_ROUNDS = 5


def main() -> None:
    """Prints both medians and their ratio."""
    torch.set_num_threads(1)
    data = read_problem(Problem(dataset="nyc_airports", horizon=24, metric="mse_scaled"), 96).for_trials()
    source = WindowSource(data, data.stages[0], DataConfig(lookback=96))
    origins = train_origins(data.stages[0], data.offsets, 96, 24)

    def ours() -> float:
        network, config, _ = build("informer", CONFIG, data, seed=0)
        loader = TrainLoader(source, origins, config.batch_size, config.windows_per_epoch, seed=0)
        module = ForecastModule([network], config, n_steps=[len(loader)], seed=0)
        trainer = make_trainer(config, epochs=1, accelerator="cpu", then=lambda *_: True)
        started = time.perf_counter()
        trainer.fit(module, train_dataloaders=Lockstep([loader]))
        return (time.perf_counter() - started) / len(loader)

    def bare() -> float:
        network, config, _ = build("informer", CONFIG, data, seed=0)
        batches = list(TrainLoader(source, origins, config.batch_size, config.windows_per_epoch, seed=0))
        optimizer = make_optimizer(config, [network.parameters()])
        network.train()
        started = time.perf_counter()
        for batch in batches:
            optimizer.zero_grad()
            network.model.training_loss(batch, network.head).mean().backward()
            optimizer.step()
        return (time.perf_counter() - started) / len(batches)

    bare()
    rounds = [(ours(), bare()) for _ in range(N_ROUNDS)]
    mine, plain = (statistics.median(times) * 1000 for times in zip(*rounds, strict=True))
    ratio = statistics.median(a / b for a, b in rounds)
    print(f"informer step, one thread: {mine:.1f} ms with loader, module and Trainer, {plain:.1f} ms bare: ratio {ratio:.3f}")


if __name__ == "__main__":
    main()
