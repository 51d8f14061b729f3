"""What transformers share that forecast in one pass: an encoder of the past, and a decoder of its end and the horizon."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn

from datasets.windows.batch import Inputs
from models.base import Forecaster, Use, WindowShape
from models.layers.embedding import WindowEmbedding
from models.layers.normalisation import WindowNorm, WindowStatistics
from models.layers.start_token import last_steps, start_token


class EncoderDecoder(Forecaster):
    """Embeds each step, encodes the lookback, and decodes the last steps of it and the horizon at once.

    Zhou et al., AAAI 2021, section 3 and equation 6. Each stack ends with a layer norm.

    Args:
        shape: The sizes of a window.
        encoder: Layers, steps (and ``factors``) to steps.
        decoder: Layers, steps and the encoder's (and ``factors``) to steps.
        width: D.
        dropout: On embeddings.
        n_start: Known steps that the decoder reads.
        norm: Takes level and spread of the past away from the network.
    """

    uses: ClassVar[frozenset[Use]] = frozenset({"covariates", "known", "observed"})

    def __init__(
        self,
        shape: WindowShape,
        encoder: Iterable[nn.Module],
        decoder: Iterable[nn.Module],
        *,
        width: int,
        dropout: float,
        n_start: int,
        norm: WindowNorm,
    ) -> None:
        super().__init__(shape)
        self.n_start, self.norm = n_start, norm
        n_values, n_known = shape.n_targets + shape.n_past_covariates, shape.n_known
        self.encoder_embedding = WindowEmbedding(n_values, n_known, shape.lookback, width, dropout)
        self.encoder = nn.ModuleList(encoder)
        self.encoder_norm: nn.Module = nn.LayerNorm(width)
        self.decoder_embedding = WindowEmbedding(shape.n_targets, n_known, n_start + shape.horizon, width, dropout)
        self.decoder = nn.ModuleList(decoder)
        self.decoder_norm = nn.LayerNorm(width)
        self.projection = nn.Linear(width, shape.n_targets * shape.n_outputs)

    def forward(self, inputs: Inputs) -> Float[Tensor, "B H C O"]:
        """The outputs for all steps of the horizon in one pass."""
        past, statistics = self.norm(inputs.past_target, inputs.past_observed)
        factors = self.factors(inputs, statistics)
        memory = self.encoder_embedding(torch.cat([past, inputs.past_covariates], -1), inputs.past_known)
        for layer in self.encoder:
            memory = layer(memory, *factors)
        memory = self.encoder_norm(memory)
        decoded = self.decoder_embedding(*self.decoder_input(past, inputs))
        for layer in self.decoder:
            decoded = layer(decoded, memory, *factors)
        horizon = self.decoder_norm(decoded[:, self.n_start :])
        outputs: Tensor = self.projection(horizon).unflatten(-1, (self.shape.n_targets, self.shape.n_outputs))
        return self.norm.restore(outputs, statistics)

    def factors(self, inputs: Inputs, statistics: WindowStatistics) -> tuple[Tensor, ...]:
        """What every layer reads besides: nothing, unless overridden."""
        return ()

    def decoder_input(
        self, past: Float[Tensor, "B L C"], inputs: Inputs
    ) -> tuple[Float[Tensor, "B T C"], Float[Tensor, "B T K"]]:
        """Start token and zeros, and the calendar of both: T = n_start + H steps."""
        known = torch.cat([last_steps(inputs.past_known, self.n_start), inputs.future_known], 1)
        return start_token(past, self.n_start, self.shape.horizon), known
