"""A forecaster as a LightningModule: loss, optimiser, schedule."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytorch_lightning as pl
import torch
from torch import Tensor

from datasets.windows.batch import Batch
from models.base import Forecaster
from models.heads.base import Head
from tuner.study.train_config import TrainConfig
from tuner.training.seeding import seed_step


def make_optimizer(config: TrainConfig, model: torch.nn.Module) -> torch.optim.Optimizer:
    """The optimiser of a config over all weights of a model."""
    weights, rate, decay = model.parameters(), config.learning_rate, config.weight_decay
    match config.optimizer:
        case "adam":
            return torch.optim.Adam(weights, lr=rate, weight_decay=decay)
        case "adamw":
            return torch.optim.AdamW(weights, lr=rate, weight_decay=decay)
        case "sgd":
            return torch.optim.SGD(weights, lr=rate, momentum=config.momentum, weight_decay=decay)


def rate_factor(config: TrainConfig, steps_per_epoch: int) -> Callable[[int], float]:
    """Step to the factor on the learning rate."""
    total = config.schedule_epochs * steps_per_epoch

    def cosine(progress: float) -> float:
        return 0.5 * (1 + math.cos(math.pi * min(progress, 1.0)))

    def one_cycle(progress: float) -> float:
        warm, start = 0.3, 1 / 25
        if progress < warm:
            return start + (1 - start) * (1 - cosine(progress / warm))
        return cosine((progress - warm) / (1 - warm))

    match config.schedule:
        case "constant":
            return lambda step: 1.0
        case "halve":
            return lambda step: 0.5 ** (step // steps_per_epoch)
        case "cosine":
            return lambda step: cosine(step / total)
        case "one_cycle":
            return lambda step: one_cycle(step / total)


class ForecastModule(pl.LightningModule):  # type: ignore[misc]
    """Trains a forecaster. It keeps no state of its own beyond the sum of losses of the running epoch."""

    def __init__(self, model: Forecaster, head: Head, config: TrainConfig, *, steps_per_epoch: int, seed: int) -> None:
        super().__init__()
        self.model = model
        self.head = head
        self.config = config
        self.steps_per_epoch = steps_per_epoch
        self.seed = seed
        self._forward_loss = torch.compile(self._loss) if config.compile else self._loss
        self._loss_sum: Tensor | float = 0.0
        self._n_batches = 0
        self.learning_rate = config.learning_rate
        """Of the last step that was taken."""

    def _loss(self, batch: Batch) -> Tensor:
        observed = batch.future_observed
        loss = self.model.training_loss(batch, self.head, None)
        return (loss * observed).sum() / observed.sum().clamp(min=1)

    def transfer_batch_to_device(self, batch: Batch, device: torch.device, dataloader_idx: int) -> Batch:
        """Batches are gathered on the device of the data; one that is there already is not copied."""
        return batch.to(device)

    def on_train_batch_start(self, batch: Batch, batch_idx: int) -> None:
        """Keys the step's draws."""
        seed_step(self.seed, self.global_step, self.device)
        self.learning_rate = self.trainer.optimizers[0].param_groups[0]["lr"]

    def training_step(self, batch: Batch, batch_idx: int) -> Tensor:
        """The mean loss over the observed values of a batch."""
        loss: Tensor = self._forward_loss(batch)
        self._loss_sum = self._loss_sum + loss.detach()
        self._n_batches += 1
        return loss

    def take_train_loss(self) -> float:
        """The mean training loss since the last call. Waits for the device."""
        mean = float(self._loss_sum) / max(self._n_batches, 1)
        self._loss_sum, self._n_batches = 0.0, 0
        return mean

    def configure_optimizers(self) -> dict[str, object]:
        """The optimiser, and its schedule by step."""
        optimizer = make_optimizer(self.config, self.model)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate_factor(self.config, self.steps_per_epoch))
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
