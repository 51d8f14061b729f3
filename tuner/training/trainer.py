"""The only place that builds a Lightning Trainer."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable

import pytorch_lightning as pl

from tuner.study.train_config import TrainConfig
from tuner.training.module import ForecastModule


class AfterEpoch(pl.Callback):  # type: ignore[misc]
    """Calls ``then(trainer, module)`` after each training epoch; training ends when it answers False."""

    def __init__(self, then: Callable[[pl.Trainer, ForecastModule], bool]) -> None:
        self._then = then

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Asks whether to go on."""
        assert isinstance(pl_module, ForecastModule)
        if not self._then(trainer, pl_module):
            trainer.should_stop = True


def make_trainer(
    config: TrainConfig, *, epochs: int, accelerator: str, then: Callable[[pl.Trainer, ForecastModule], bool]
) -> pl.Trainer:
    """A silent Trainer on one device that neither validates, logs nor saves: ``then`` does all of that."""
    for name in ("pytorch_lightning", "lightning.pytorch"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"pytorch_lightning\..*")
    return pl.Trainer(
        max_epochs=epochs,
        accelerator=accelerator,
        devices=1,
        precision={"32": "32-true", "bf16": "bf16-mixed"}[config.precision],
        gradient_clip_val=config.gradient_clip or None,
        callbacks=[AfterEpoch(then)],
        limit_val_batches=0,
        num_sanity_val_steps=0,
        reload_dataloaders_every_n_epochs=0,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        use_distributed_sampler=False,
    )
