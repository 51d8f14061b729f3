"""The networks of a trial as a LightningModule."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor, nn

from datasets.windows.batch import Batch
from tuner.study.train_config import TrainConfig
from tuner.training.checkpoint import set_moments
from tuner.training.network import Network
from tuner.training.optimizer import make_optimizer, rate_factor
from tuner.training.seeding import seed_step


@dataclass(frozen=True)
class Step:
    """What one step of the optimiser trains on."""

    stage: int
    """Index of the network."""
    parts: tuple[tuple[float, Batch], ...]
    """Weights, which sum to 1, and the windows whose mean loss each of them multiplies."""

    def to(self, device: torch.device) -> Step:
        """The same on another device."""
        return Step(self.stage, tuple((weight, batch.to(device)) for weight, batch in self.parts))


class ForecastModule(pl.LightningModule):  # type: ignore[misc]
    """Trains the networks of all stages in lockstep: in each epoch the batches of one stage after those of the other.

    One optimiser holds them all, a parameter group each. A batch gives a gradient to the network of its stage alone, and the
    optimiser passes over weights without one: so the norm that is clipped, the moments, the rate and the draws of a network
    are those that it would have if it were trained alone.

    Args:
        networks: One for each stage.
        config: Of the trial.
        n_steps: Batches an epoch of each stage.
        seed: Of the trial, or of its turn.
        n_parts: In which a batch goes through its network. The gradient is that of the whole batch.
        n_epochs: That were trained before.
        moments: What the optimiser remembers of them.
    """

    def __init__(
        self,
        networks: Sequence[Network],
        config: TrainConfig,
        *,
        n_steps: Sequence[int],
        seed: int,
        n_parts: int = 1,
        n_epochs: int = 0,
        moments: Mapping[int, Mapping[str, Tensor]] = MappingProxyType({}),
    ) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.config, self.n_steps, self.seed = config, tuple(n_steps), seed
        self._n_parts, self._waiting = n_parts, list[Callable[[], Tensor]]()
        self._n_epochs, self._moments = n_epochs, moments
        self._loss = torch.compile(Network.loss) if config.compile else Network.loss
        self._loss_sums: list[Tensor | float] = [0.0] * len(networks)
        self.learning_rate = config.learning_rate
        """Of the last step that was taken."""

    @property
    def epoch(self) -> int:
        """Epochs before the present one, of the trial or its turn."""
        return self._n_epochs + int(self.current_epoch)

    @property
    def step(self) -> int:
        """Steps so far, of the trial or its turn."""
        return self._n_epochs * sum(self.n_steps) + int(self.global_step)

    def own_step(self, stage: int, step: int) -> int:
        """How many of the first ``step`` steps were those of a stage."""
        epoch, within = divmod(step, sum(self.n_steps))
        before = sum(self.n_steps[:stage])
        return epoch * self.n_steps[stage] + min(max(within - before, 0), self.n_steps[stage])

    def transfer_batch_to_device(self, batch: Step, device: torch.device, dataloader_idx: int) -> Step:
        """Batches are gathered on the device of the data; one that is there already is not copied."""
        return batch.to(device)

    def on_train_batch_start(self, batch: Step, batch_idx: int) -> None:
        """Keys the step's draws."""
        seed_step(self.seed, self.own_step(batch.stage, self.step), self.device)
        self.learning_rate = self.trainer.optimizers[0].param_groups[batch.stage]["lr"]

    def training_step(self, batch: Step, batch_idx: int) -> Tensor:
        """The loss of the step's first part; the others wait for their turn."""
        parts: list[Callable[[], Tensor]] = [
            partial(self._part, batch.stage, weight, part, n_observed)
            for weight, windows in batch.parts
            for part, n_observed in self._split(windows)
        ]
        first, *self._waiting = parts
        return first()

    def _split(self, windows: Batch) -> list[tuple[Batch, Tensor | None]]:
        if self._n_parts == 1:
            return [(windows, None)]
        n_observed = windows.future_observed.sum()
        return [(part, n_observed) for part in windows.split(self._n_parts)]

    def _part(self, stage: int, weight: float, windows: Batch, n_observed: Tensor | None) -> Tensor:
        network = self.networks[stage]
        assert isinstance(network, Network)
        loss: Tensor = weight * self._loss(network, windows, n_observed)
        self._loss_sums[stage] = self._loss_sums[stage] + loss.detach()
        return loss

    def backward(self, loss: Tensor, *args: Any, **kwargs: Any) -> None:
        """Lets gradients add up over the parts of a step. A part is computed when the one before it has left the memory."""
        torch.autograd.backward(loss, *args, **kwargs)
        while self._waiting:
            with self.trainer.precision_plugin.forward_context():
                loss = self._waiting.pop(0)()
            torch.autograd.backward(loss, *args, **kwargs)

    def take_train_losses(self) -> list[float]:
        """The mean training loss of each stage over the epoch that has ended. Waits for the device."""
        means = [float(total) / n for total, n in zip(self._loss_sums, self.n_steps, strict=True)]
        self._loss_sums = [0.0] * len(means)
        return means

    def configure_optimizers(self) -> dict[str, object]:
        """The optimiser, and its schedule by step."""
        optimizer = make_optimizer(self.config, [network.parameters() for network in self.networks])
        if self._moments:
            set_moments(optimizer, self._moments)
        first = self._n_epochs * sum(self.n_steps)

        def factor(stage: int) -> Callable[[int], float]:
            own = rate_factor(self.config, self.n_steps[stage])
            return lambda step: own(self.own_step(stage, first + step))

        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, [factor(stage) for stage in range(len(self.n_steps))])
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
