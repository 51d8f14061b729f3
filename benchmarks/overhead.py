"""What a study costs beyond training: 32 trials of about a second and 4 reports each, on 2 slots, dashboard on.

Wall after start-up (from the moment both slots have ended their first trial) against bare PyTorch loops that do the same
training and scoring, two at a time; and against a plain Ray Tune function trainable with Lightning, its report callback and a
fresh actor a trial. All in one run; medians of N_ROUNDS.
"""

from __future__ import annotations

import argparse
import multiprocessing
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from search_spaces.base import Config, Float, Space
from tuner.study.problem_data import ProblemData, read_problem
from tuner.study.study import Budget, Problem, Resources, Study

N_TRIALS, N_SLOTS, EPOCHS = 32, 2, 4
PROBLEM = Problem(dataset="nyc_airports", horizon=24, metric="mse_scaled")
FIXED: Config = {
    "data.lookback": 48,
    "model.n_heads": 2,
    "model.head_width": 8,
    "model.feedforward": 64,
    "model.n_encoder_layers": 1,
    "train.windows_per_epoch": 480,
}
SPACE = Space("informer", {**FIXED, "train.learning_rate": Float(1e-4, 1e-3, log=True)})
CONFIG: Config = {**FIXED, "train.learning_rate": 3e-4}


def ours(data: ProblemData) -> float:
    """Seconds for N_TRIALS trials, after both slots are warm."""
    from cluster.study_loop import StudyLoop
    from cluster.study_runner import run_study
    from tuner.results.store import RunStore
    from tuner.study.record import record

    @dataclass
    class Silent:
        def started(self, *_: Any) -> None: ...
        def changed(self, *_: Any) -> None: ...
        def evaluating(self) -> None: ...

    with tempfile.TemporaryDirectory() as runs:
        study = Study(
            name="overhead", space_name="benchmark", space=SPACE, problem=PROBLEM,
            budget=Budget(n_trials=N_TRIALS + N_SLOTS, epochs=EPOCHS), sampler="tpe", scheduler="none", seed=0,
            runs=Path(runs), resources=Resources(),
        )  # fmt: skip
        store = RunStore.create(study.folder)
        store.write_study(record(study, data, CONFIG))
        run_study(StudyLoop.of(study, CONFIG, store), data, Silent())
        ends = sorted(event["time_s"] for event in store.events() if event["kind"] == "tell")
    return float(ends[-1] - ends[N_SLOTS - 1])


def bare_loops(data: Any, n: int, ready: Any, go: Any) -> None:
    """n trials without any framework."""
    import torch

    from datasets.windows.loaders import TrainLoader, WindowSource
    from datasets.windows.windowing import train_origins
    from tuner.training.network import build
    from tuner.training.optimizer import make_optimizer
    from tuner.training.scoring import score_network

    torch.set_num_threads(1)

    def trial() -> None:
        network, config, data_config = build("informer", CONFIG, data, seed=0)
        source = WindowSource(data, data.stages[0], data_config)
        origins = train_origins(data.stages[0], data.offsets, 48, 24)
        loader = TrainLoader(source, origins, config.batch_size, config.windows_per_epoch, seed=0)
        optimizer = make_optimizer(config, [network.parameters()])
        for epoch in range(EPOCHS):
            loader.set_epoch(epoch)
            network.train()
            for batch in loader:
                optimizer.zero_grad()
                network.model.training_loss(batch, network.head).mean().backward()
                optimizer.step()
            score_network(network, source, data, data.stages[0], n_paths=1, seed=0)

    trial()
    ready.wait()
    go.wait()
    for _ in range(n):
        trial()


def bare(data: ProblemData) -> float:
    """Seconds for N_TRIALS bare trials in N_SLOTS warm processes."""
    context = multiprocessing.get_context("spawn")
    ready, go = context.Barrier(N_SLOTS + 1), context.Event()
    arguments = (data.for_trials(), N_TRIALS // N_SLOTS, ready, go)
    processes = [context.Process(target=bare_loops, args=arguments) for _ in range(N_SLOTS)]
    for process in processes:
        process.start()
    ready.wait()
    started = time.perf_counter()
    go.set()
    for process in processes:
        process.join()
    return time.perf_counter() - started


def plain_trial(config: dict[str, Any], data: Any = None) -> None:
    """What a Ray Tune user writes: Lightning and its report callback."""
    import pytorch_lightning as pl
    import torch
    from ray.tune.integration.pytorch_lightning import TuneReportCheckpointCallback

    from datasets.windows.loaders import ScoreLoader, TrainLoader, WindowSource
    from datasets.windows.windowing import score_origins, train_origins
    from tuner.training.network import build
    from tuner.training.optimizer import make_optimizer

    torch.set_num_threads(1)
    network, train, data_config = build("informer", CONFIG, data, seed=0)
    model, head = network.model, network.head

    class Plain(pl.LightningModule):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.network = network

        def transfer_batch_to_device(self, batch: Any, device: Any, dataloader_idx: int) -> Any:
            return batch

        def training_step(self, batch: Any, batch_idx: int) -> Any:
            return model.training_loss(batch, head).mean()

        def validation_step(self, batch: Any, batch_idx: int) -> None:
            _, windows = batch
            self.log("val_loss", model.training_loss(windows, head).mean(), batch_size=windows.size)

        def configure_optimizers(self) -> Any:
            return make_optimizer(train, [network.parameters()])

    source = WindowSource(data, data.stages[0], data_config)
    training = TrainLoader(source, train_origins(data.stages[0], data.offsets, 48, 24), 32, 480, seed=0)
    scoring = ScoreLoader(source, score_origins(data.stages[0], data.offsets, 24), 256)
    callback = TuneReportCheckpointCallback({"val_loss": "val_loss"}, on="validation_end")
    quiet = {"logger": False, "enable_progress_bar": False, "enable_checkpointing": False}
    trainer = pl.Trainer(max_epochs=EPOCHS, accelerator="cpu", callbacks=[callback], **quiet)
    trainer.fit(Plain(), training, scoring)


def plain(data: ProblemData, n_trials: int) -> float:
    """Seconds a trial of plain Ray Tune, without the start of Ray itself."""
    from ray import tune

    from cluster.connect import connected

    with connected(None, {}), tempfile.TemporaryDirectory() as scratch:
        trainable = tune.with_resources(tune.with_parameters(plain_trial, data=data.for_trials()), {"cpu": 1})
        tuner = tune.Tuner(
            trainable,
            param_space={"x": tune.uniform(0, 1)},
            tune_config=tune.TuneConfig(num_samples=n_trials),
            run_config=tune.RunConfig(storage_path=scratch, verbose=0),
        )
        started = time.perf_counter()
        tuner.fit()
        return (time.perf_counter() - started) / n_trials


def main() -> None:
    """Prints the two ratios."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=5)
    n_rounds = parser.parse_args().rounds
    data = read_problem(PROBLEM, 48)
    rounds = []
    for number in range(n_rounds):
        mine, loops = ours(data), bare(data)
        rounds.append((mine, loops))
        print(f"round {number}: study {mine:.1f} s, bare loops {loops:.1f} s, ratio {mine / loops:.3f}", flush=True)
    print(f"overhead: ratio {statistics.median(a / b for a, b in rounds):.3f} (median of {n_rounds})")
    rate = plain(data, N_TRIALS)
    mine = statistics.median(a for a, _ in rounds) / N_TRIALS
    print(f"plain Ray Tune: {rate:.2f} s a trial, ours {mine:.2f} s: {rate / mine:.1f} times the rate")


if __name__ == "__main__":
    main()
