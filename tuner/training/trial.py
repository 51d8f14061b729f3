"""One trial: seed, loaders, model, training, a report after each epoch. The same code under Ray, alone, and in reproduction."""

from __future__ import annotations

import hashlib
import io
import logging
import math
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass

import pytorch_lightning as pl
import safetensors.torch
import torch

from datasets.config import DataConfig
from datasets.windows.loaders import TrainLoader, WindowSource
from datasets.windows.prepared import PreparedData
from datasets.windows.windowing import train_origins
from models.base import Forecaster, WindowShape
from models.heads import make_head
from models.heads.base import Head
from search_spaces.base import Config
from tuner.study.lookup import model_class
from tuner.study.schema import split_config
from tuner.study.seeds import derive
from tuner.study.train_config import TrainConfig
from tuner.study.trial import Decision, Report, State
from tuner.training.module import ForecastModule
from tuner.training.outcome import Outcome
from tuner.training.scoring import score_model
from tuner.training.seeding import seed_everything
from tuner.training.trainer import make_trainer

_NO_MEMORY = ("can't allocate memory", "CUBLAS_STATUS_ALLOC_FAILED")
"""How torch says it where it does not raise OutOfMemoryError."""


class Diverged(Exception):
    """Training left the finite numbers: a fact about the config."""


@dataclass(frozen=True, kw_only=True)
class TrialSpec:
    """All that a trial depends on, but for the data."""

    model: str
    config: Config
    seed: int
    epochs: int
    metric: str
    accelerator: str = "cpu"
    n_threads: int = 1
    """CPU threads of torch: sums depend on their number."""


def window_shape(config: Config, data: PreparedData) -> WindowShape:
    """The sizes that the model of a config is built for."""
    _, train, data_config = split_config(config)
    return WindowShape(
        lookback=data_config.lookback,
        horizon=data.horizon,
        n_targets=data.values.shape[1],
        n_outputs=make_head(train.loss).n_outputs,
        n_known=data.known.shape[1],
    )


def build(model: str, config: Config, data: PreparedData, seed: int) -> tuple[Forecaster, Head, TrainConfig, DataConfig]:
    """The model of a config with its first weights, its head, and the rest of the config."""
    arguments, train, data_config = split_config(config)
    kind = model_class(model)
    if train.loss not in kind.heads:
        raise ValueError(f"train.loss must be one that {model} supports ({', '.join(kind.heads)}), got {train.loss!r}")
    seed_everything(derive(seed, "weights"))
    return kind(window_shape(config, data), **arguments), make_head(train.loss), train, data_config


def run_trial(spec: TrialSpec, data: PreparedData, report: Callable[[Report], Decision]) -> Outcome:
    """Trains one config and reports after each epoch until the budget or the answer ends it."""
    with _captured() as log:
        try:
            state = _train(spec, data, report, log)
            return Outcome(state=state, log=log.take())
        except (Diverged, MemoryError, torch.OutOfMemoryError) as error:
            return Outcome(state=State.INFEASIBLE, reason=f"{type(error).__name__}: {error}", log=log.take())
        except Exception as error:
            if isinstance(error, RuntimeError) and any(words in str(error) for words in _NO_MEMORY):
                return Outcome(state=State.INFEASIBLE, reason=str(error).partition("\n")[0], log=log.take())
            frame = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{type(error).__name__} at {frame.filename}:{frame.lineno}"
            reason = f"{place}: {str(error).partition(chr(10))[0]}"
            return Outcome(state=State.FAILED, reason=reason, place=place, traceback=traceback.format_exc(), log=log.take())


def _train(spec: TrialSpec, data: PreparedData, report: Callable[[Report], Decision], log: Log) -> State:
    torch.set_num_threads(spec.n_threads)
    device = torch.device("cuda" if spec.accelerator == "gpu" else spec.accelerator)
    stage = data.stages[0]
    if spec.config.get("train.compile"):
        torch._dynamo.reset()  # what a warm actor compiled before must not decide what runs now
    model, head, train, data_config = build(spec.model, spec.config, data, spec.seed)
    source = WindowSource(data, lookback=data_config.lookback, horizon=data.horizon, device=device)
    origins = train_origins(stage, data.offsets, data_config.lookback, data.horizon)
    loader = TrainLoader(source, origins, train.batch_size, train.windows_per_epoch, derive(spec.seed, "windows"))
    module = ForecastModule(model, head, train, steps_per_epoch=len(loader), seed=spec.seed)
    best, stopped = math.inf, False
    started = time.perf_counter()

    def after_epoch(trainer: pl.Trainer, module: ForecastModule) -> bool:
        nonlocal best, stopped, started
        train_loss = module.take_train_loss()
        trained = time.perf_counter()
        if not math.isfinite(train_loss):
            raise Diverged(f"the training loss became {train_loss} in epoch {trainer.current_epoch + 1}")
        score = score_model(model, head, source, data, stage, context=trainer.precision_plugin.forward_context)
        value = score.metrics[spec.metric]
        if not math.isfinite(value):
            raise Diverged(f"{spec.metric} became {value} in epoch {trainer.current_epoch + 1}")
        improved = value < best
        best = min(best, value)
        weights = save_weights(model)
        epoch = trainer.current_epoch + 1
        loader.set_epoch(epoch)
        answer = report(
            Report(
                stage=stage.name,
                epoch=epoch,
                step=trainer.global_step,
                metrics={
                    "train_loss": train_loss,
                    **score.metrics,
                    "learning_rate": module.learning_rate,
                },
                timing={"train_s": trained - started, "score_s": time.perf_counter() - trained},
                weights_sha256=hashlib.sha256(weights).hexdigest(),
                best=weights if improved else None,
                log=log.take(),
            )
        )
        started = time.perf_counter()
        stopped = answer is Decision.STOP
        return not stopped

    trainer = make_trainer(train, epochs=spec.epochs, accelerator=spec.accelerator, then=after_epoch)
    try:
        trainer.fit(module, train_dataloaders=loader)
    except SystemExit as error:  # so Lightning ends on Ctrl-C
        raise KeyboardInterrupt from error
    return State.STOPPED if stopped else State.FINISHED


def save_weights(model: torch.nn.Module) -> bytes:
    """The weights as safetensors."""
    weights = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    return bytes(safetensors.torch.save(weights))


class Log(io.StringIO):
    """Text that is taken away piece by piece."""

    def take(self) -> str:
        """What was written since the last call."""
        text = self.getvalue()
        self.seek(0)
        self.truncate()
        return text


@contextmanager
def _captured() -> Iterator[Log]:
    """What a trial prints, logs or warns belongs to the trial, not to the terminal."""
    log = Log()
    handler = logging.StreamHandler(log)
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        with redirect_stdout(log), redirect_stderr(log), warnings.catch_warnings():
            yield log
    finally:
        root.removeHandler(handler)
