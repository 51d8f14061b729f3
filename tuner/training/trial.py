"""One trial: seed, loaders, model, training, a report after each epoch. The same code under Ray, alone, and in reproduction."""

from __future__ import annotations

import gc
import hashlib
import io
import logging
import math
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout

import pytorch_lightning as pl
import torch

from datasets.windows.prepared import PreparedData
from tuner.study.metrics import rank
from tuner.study.schema import split_config
from tuner.study.train_config import TrainConfig
from tuner.study.trial import Decision, Report, State
from tuner.training.check import Unsuited, check_targets
from tuner.training.checkpoint import Checkpoint, moments_of
from tuner.training.metrics import mean_score
from tuner.training.module import ForecastModule
from tuner.training.network import all_weights, load_weights, save_weights
from tuner.training.outcome import Outcome
from tuner.training.protocols import Protocol, Turn, protocol_of
from tuner.training.scoring import score_trial
from tuner.training.spec import TrialSpec
from tuner.training.trainer import make_trainer

_NO_MEMORY = ("can't allocate memory", "std::bad_alloc", "CUDA error: out of memory", "_STATUS_ALLOC_FAILED")
"""How torch says it where it does not raise OutOfMemoryError."""


class Diverged(Exception):
    """Training left the finite numbers: a fact about the config."""


def run_trial(spec: TrialSpec, data: PreparedData, report: Callable[[Report], Decision], last: bytes | None = None) -> Outcome:
    """Trains one config and reports after each epoch until the budget or the answer ends it.

    Args:
        spec: What the trial depends on.
        data: What it sees.
        report: Called after each epoch; the answer is obeyed.
        last: What came with the report of the epoch to go on from; None begins.
    """
    try:
        with _captured() as log:
            return _run(spec, data, report, last, log)
    finally:  # the next trial of a warm actor needs the memory, and networks hold each other in circles
        gc.collect()
        if spec.device.type == "cuda":
            torch.cuda.empty_cache()


def _run(spec: TrialSpec, data: PreparedData, report: Callable[[Report], Decision], last: bytes | None, log: Log) -> Outcome:
    try:
        state = _train(spec, data, report, log, None if last is None else Checkpoint.from_bytes(last))
        return Outcome(state=state, log=log.take())
    except (Diverged, Unsuited) as error:
        return Outcome(state=State.INFEASIBLE, reason=f"{type(error).__name__}: {error}", log=log.take())
    except Exception as error:
        if _is_out_of_memory(error):
            reason = f"out of memory: {str(error).partition(chr(10))[0]}".removesuffix(": ")
            return Outcome(state=State.INFEASIBLE, reason=reason, out_of_memory=True, log=log.take())
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{type(error).__name__} at {frame.filename}:{frame.lineno}"
        reason = f"{place}: {str(error).partition(chr(10))[0]}"
        return Outcome(state=State.FAILED, reason=reason, place=place, traceback=traceback.format_exc(), log=log.take())


def _is_out_of_memory(error: Exception) -> bool:
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _NO_MEMORY)


def _train(
    spec: TrialSpec,
    data: PreparedData,
    report: Callable[[Report], Decision],
    log: Log,
    before: Checkpoint | None,
) -> State:
    torch.set_num_threads(spec.n_threads)
    if spec.config.get("train.compile"):
        torch._dynamo.reset()  # what a warm actor compiled before must not decide what runs now
        torch.use_deterministic_algorithms(True, warn_only=True)  # in the kernels of the compiler too
    _, train, _ = split_config(spec.config)
    check_targets(train, data)
    protocol = protocol_of(spec, data)
    before = before or Checkpoint(epoch=0, best=math.inf, weights=all_weights(protocol.networks), moments={})
    load_weights(protocol.networks, before.weights)
    protocol.kept.update(before.kept)
    answer = Decision.CONTINUE
    for turn in protocol.turns(before.epoch):
        answer = _train_turn(spec, data, train, protocol, turn, report, log, before)
        if answer is not Decision.CONTINUE:
            break
    return {Decision.CONTINUE: State.FINISHED, Decision.STOP: State.STOPPED, Decision.PAUSE: State.PAUSED}[answer]


def _train_turn(
    spec: TrialSpec,
    data: PreparedData,
    train: TrainConfig,
    protocol: Protocol,
    turn: Turn,
    report: Callable[[Report], Decision],
    log: Log,
    before: Checkpoint,
) -> Decision:
    """From where the turn was left, if it was; else from its start."""
    n_epochs = max(before.epoch - turn.first_epoch, 0)
    turn.loader.set_epoch(n_epochs)
    module = ForecastModule(
        list(turn.networks.values()),
        train,
        n_steps=turn.n_steps,
        seed=turn.seed,
        n_parts=spec.n_parts,
        n_epochs=n_epochs,
        moments=before.moments if n_epochs else {},
    )
    best, answer = before.best if n_epochs else math.inf, Decision.CONTINUE
    started = time.perf_counter()

    def after_epoch(trainer: pl.Trainer, module: ForecastModule) -> bool:
        nonlocal best, answer, started
        epoch = turn.first_epoch + module.epoch + 1
        losses = module.take_train_losses()
        trained = time.perf_counter()
        for name, loss in zip(turn.networks, losses, strict=True):
            if not math.isfinite(loss):
                raise Diverged(f"the training loss became {loss} in epoch {epoch} (stage {name})")
        scores = [score_trial(spec, each.network, each.source, data, each.stage) for each in protocol.scored]
        values = {
            each.stage.name: _value(spec.metric, score.metrics, f"in epoch {epoch} (stage {each.stage.name})")
            for each, score in zip(protocol.scored, scores, strict=True)
        }
        metrics = {name: value for name, value in mean_score(scores).metrics.items() if math.isfinite(value)}
        cost = rank(spec.metric, metrics, values)
        improved, best = cost < best, min(best, cost)
        weights = all_weights(protocol.networks)
        content = save_weights(weights)
        moments = moments_of(trainer.optimizers[0])
        last = Checkpoint(epoch=epoch, best=best, weights=weights, moments=moments, kept=protocol.kept)
        turn.loader.set_epoch(module.epoch + 1)
        answer = report(
            Report(
                stage=list(turn.networks)[-1],
                epoch=epoch,
                step=module.own_step(len(turn.networks) - 1, module.step),
                metrics={"train_loss": math.fsum(losses) / len(losses), **metrics, "learning_rate": module.learning_rate},
                stages=values,
                turn=turn.number,
                timing={"train_s": trained - started, "score_s": time.perf_counter() - trained},
                weights_sha256=hashlib.sha256(content).hexdigest(),
                best=content if improved else None,
                last=last.to_bytes(),
                log=log.take(),
            )
        )
        started = time.perf_counter()
        return answer is Decision.CONTINUE

    n_left = turn.end_epoch - turn.first_epoch - n_epochs
    trainer = make_trainer(train, epochs=n_left, accelerator=spec.accelerator, then=after_epoch)
    try:
        trainer.fit(module, train_dataloaders=turn.loader)
    except SystemExit as error:  # so Lightning ends on Ctrl-C
        raise KeyboardInterrupt from error
    return answer


def _value(metric: str, metrics: Mapping[str, float], where: str) -> float:
    """The value that ranks."""
    value = metrics.get(metric)
    if value is None:
        raise Diverged(f"{metric} has no value {where}: its formula divides by 0 for these forecasts")
    if not math.isfinite(value):
        raise Diverged(f"{metric} became {value} {where}")
    return value


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
