"""What is trained: a model and the head that says what its outputs mean, built from a config."""

from __future__ import annotations

from collections.abc import Mapping

import safetensors.torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from datasets.config import DataConfig
from datasets.windows.batch import Batch, Inputs
from datasets.windows.lags import source_lags
from datasets.windows.prepared import PreparedData
from models.base import Forecast, Forecaster, WindowShape
from models.heads import make_head
from models.heads.base import Head
from models.heads.draws import Draws
from search_spaces.base import Config
from tuner.study.lookup import model_class
from tuner.study.schema import split_config
from tuner.study.seeds import derive
from tuner.study.train_config import TrainConfig
from tuner.training.checkpoint import plain
from tuner.training.seeding import seed_everything


class Network(nn.Module):
    """A model and its head. Their weights are ``model.*`` and ``head.*``."""

    def __init__(self, model: Forecaster, head: Head) -> None:
        super().__init__()
        self.model, self.head = model, head

    def loss(self, batch: Batch, n_observed: Int[Tensor, ""] | None = None) -> Float[Tensor, ""]:
        """The mean loss over the future values of a batch that were observed, of steps that count.

        Args:
            batch: Some windows.
            n_observed: Of the whole batch that these windows are a part of; the losses of its parts add up to the mean.
        """
        observed = batch.future_observed
        loss = self.model.training_loss(batch, self.head)
        return (loss * observed).sum() / (observed.sum() if n_observed is None else n_observed).clamp(min=1)

    def predict(self, inputs: Inputs, n_paths: int, draws: Draws) -> Forecast:
        """The forecast: one path from a point head, ``n_paths`` from a distribution."""
        return self.model.predict(inputs, self.head, n_paths, draws)


def window_shape(config: DataConfig, data: PreparedData, n_outputs: int) -> WindowShape:
    """The sizes that the model of a config is built for."""
    return WindowShape(
        lookback=config.lookback,
        horizon=data.horizon,
        n_targets=data.values.shape[1],
        n_outputs=n_outputs,
        n_past_covariates=data.covariates.shape[1],
        n_known=data.n_known,
        n_static=data.static.shape[1],
        lags=source_lags(config, data.frequency),
        cardinalities=data.cardinalities,
    )


def build(model: str, config: Config, data: PreparedData, seed: int) -> tuple[Network, TrainConfig, DataConfig]:
    """The network of a config with its first weights, a function of ``seed``, and the rest of the config.

    Raises:
        ValueError: the model does not support the loss, or refuses an argument.
    """
    arguments, train, data_config = split_config(config)
    kind = model_class(model)
    if train.loss not in kind.heads:
        raise ValueError(f"train.loss must be one that {model} supports ({', '.join(kind.heads)}), got {train.loss!r}")
    seed_everything(derive(seed, "weights"))
    head = make_head(train.loss, quantile_levels=train.quantile_levels, rank=train.rank)
    return Network(kind(window_shape(data_config, data, head.n_outputs), **arguments), head), train, data_config


def all_weights(networks: Mapping[str, Network]) -> dict[str, Tensor]:
    """The weights of the networks of all stages: ``<stage>.model.*``, ``<stage>.head.*``."""
    return {
        f"{stage}.{key}": plain(tensor) for stage, network in networks.items() for key, tensor in network.state_dict().items()
    }


def save_weights(weights: Mapping[str, Tensor]) -> bytes:
    """What ``all_weights`` gave, as one safetensors."""
    return bytes(safetensors.torch.save(dict(weights)))


def load_weights(networks: Mapping[str, Network], weights: Mapping[str, Tensor]) -> None:
    """Gives networks the weights that ``all_weights`` took.

    Raises:
        ValueError: they are those of other networks.
    """
    for stage, network in networks.items():
        load_state(network, _of_stage(stage, weights))


def load_state(network: Network, state: Mapping[str, Tensor]) -> None:
    """Gives a network its weights.

    Raises:
        ValueError: they are those of another one.
    """
    own = network.state_dict()
    if wrong := sorted(key for key in own.keys() | state.keys() if _shape(own, key) != _shape(state, key)):
        raise ValueError(
            f"weights must be those of the same model and config, {len(wrong)} of {len(own)} are not, such as {wrong[0]}; "
            f"use the code that wrote them, or train anew"
        )
    network.load_state_dict(state)


def _shape(state: Mapping[str, Tensor], key: str) -> tuple[int, ...] | None:
    return tuple(state[key].shape) if key in state else None


def weights_of(stage: str, weights: bytes) -> bytes:
    """The weights of one stage out of what ``save_weights`` made: ``model.*``, ``head.*``."""
    return bytes(safetensors.torch.save(_of_stage(stage, safetensors.torch.load(weights))))


def _of_stage(stage: str, weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    prefix = f"{stage}."
    return {key.removeprefix(prefix): tensor for key, tensor in weights.items() if key.startswith(prefix)}
