"""Time series transformer: an encoder-decoder that reads lags as features and draws the horizon step by step.

The network of Vaswani, Shazeer, Parmar, Uszkoreit, Jones, Gomez, Kaiser and Polosukhin, "Attention Is All You Need", NeurIPS
2017, put to use on series as the model of that name in Hugging Face's transformers library does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, Literal, cast

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from datasets.windows.batch import Inputs
from models.base import WindowShape
from models.layers.arguments import at_least
from models.layers.attention import FullAttention, MultiHeadAttention
from models.layers.autoregressive import AutoregressiveForecaster
from models.layers.dropout import Dropout
from models.layers.embedding import sinusoidal_positions
from models.layers.sampling import StepFeatures
from models.layers.transformer import DecoderLayer, EncoderLayer, FeedForward


class TimeSeriesTransformer(AutoregressiveForecaster):
    """The transformer (Vaswani et al., NeurIPS 2017) over steps of one channel, as Hugging Face's model of this name.

    - A step is the value before it, its lags, known features, static numbers, embedded categories and the log of the scale,
      through one map without bias, plus its sinusoidal position, layer-normed; positions go on from lookback to horizon.
    - The encoder attends over the lookback, the decoder causally over the horizon and to the encoder (equation 1); layers are
      layer-normed after each sum. Training reads the true values of the horizon, in one pass.
    - A forecast draws each step from the head and reads it back. Keys and values of earlier steps are kept, and those of the
      encoder are shared by all paths of a window: paths stand in the place of its queries.

    Departures from that model: a series is scaled by the mean size of its train rows (data.scaling=mean), not each window by
    its own; what was observed counts through ``norm``, which takes the place of its scaling of the window; attention weights
    have no dropout; each channel is forecast by itself, with the same weights. The defaults are those of the library.

    Args:
        shape: The sizes of a window. K, S, G and the lags may be absent.
        n_heads: Attention heads.
        head_width: Width of each. The width of the network is n_heads * head_width: the library's 64 is 2 * 32.
        n_encoder_layers: Layers over the lookback.
        n_decoder_layers: Layers over the horizon.
        feedforward: Width between the two maps of each feed-forward layer.
        dropout: On embeddings, inside feed-forward layers, on what each layer adds.
        activation: Of the feed-forward layers: gelu or relu.
        norm: Level and spread of the observed past, which the network does not see: none, last (value), revin (see WindowNorm).

    Raises:
        ValueError: an argument is out of its range.
    """

    heads: ClassVar[tuple[str, ...]] = ("student_t", "normal", "negative_binomial", "quantile", "implicit_quantile")

    def __init__(
        self,
        shape: WindowShape,
        *,
        n_heads: int = 2,
        head_width: int = 32,
        n_encoder_layers: int = 2,
        n_decoder_layers: int = 2,
        feedforward: int = 32,
        dropout: float = 0.1,
        activation: Literal["gelu", "relu"] = "gelu",
        norm: Literal["none", "last", "revin"] = "none",
    ) -> None:
        at_least(1, n_heads=n_heads, head_width=head_width, feedforward=feedforward)
        at_least(1, n_encoder_layers=n_encoder_layers, n_decoder_layers=n_decoder_layers)
        width = n_heads * head_width

        def feed() -> FeedForward:
            return FeedForward(width, feedforward, activation, dropout)

        encoder = [
            EncoderLayer(MultiHeadAttention(FullAttention(), width, n_heads, head_width), feed(), width, dropout)
            for _ in range(n_encoder_layers)
        ]
        decoder = [SteppingDecoderLayer(width, n_heads, head_width, feed(), dropout) for _ in range(n_decoder_layers)]
        network = AutoregressiveTransformer(shape, encoder, decoder, width, dropout)
        super().__init__(shape, network, width=width, joint=False, norm=norm)


class AutoregressiveTransformer(nn.Module):
    """Encoder and decoder over ``StepFeatures``, each channel by itself; a ``StepNetwork``."""

    positions: Tensor

    def __init__(
        self, shape: WindowShape, encoder: list[EncoderLayer], decoder: list[SteppingDecoderLayer], width: int, dropout: float
    ) -> None:
        super().__init__()
        self.lookback = shape.lookback
        self.features = StepFeatures(shape, joint=False)
        self.values = nn.ModuleList(nn.Linear(self.features.n_features, width, bias=False) for _ in range(2))
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.register_buffer("positions", sinusoidal_positions(shape.lookback + shape.horizon, width), persistent=False)
        self.dropout = Dropout(dropout)
        self.encoder = nn.Sequential(*encoder)
        self.decoder = nn.ModuleList(decoder)

    def taught(self, inputs: Inputs, future: Float[Tensor, "B H C"]) -> Float[Tensor, "B H C D"]:
        """What comes out at each step of the horizon, given the true values before it, in one pass."""
        memory = self._encoded(inputs)
        steps = self._embedded(1, self.features.horizon(inputs, future), self.positions[self.lookback :]).flatten(0, 1)
        for layer in self.decoder:
            steps = layer(steps, memory)
        return steps.view(len(future), -1, *steps.shape[1:]).transpose(1, 2)

    def sampled(
        self, inputs: Inputs, n_paths: int, draw: Callable[[Float[Tensor, "B n C D"]], Float[Tensor, "B n C"]]
    ) -> Float[Tensor, "B n H C"]:
        """Paths of the horizon: each value that is drawn is an input of the steps after it."""
        memory, template = self._encoded(inputs), self.features.template(inputs)
        read = [layer.read(memory) for layer in self._layers()]
        # Keys and values of all steps are written where they stay: to join them anew at each step would copy all before it.
        kept = [keys.new_empty(2, len(keys) * n_paths, keys.shape[1], template.shape[2], keys.shape[3]) for keys, _ in read]
        values: list[Tensor] = []
        for position in self.positions[self.lookback :].unbind():
            step = self._embedded(1, self.features.at(template, values, n_paths), position)
            for place, layer in enumerate(self._layers()):
                step, kept[place] = layer.step(step, read[place], kept[place], len(values))
            values.append(draw(step))
        return torch.stack(values, 2)

    def _layers(self) -> list[SteppingDecoderLayer]:
        return cast("list[SteppingDecoderLayer]", list(self.decoder))

    def _encoded(self, inputs: Inputs) -> Float[Tensor, "R L D"]:
        past = self._embedded(0, self.features.past(inputs), self.positions[: self.lookback])
        encoded: Tensor = self.encoder(past.flatten(0, 1))
        return encoded

    def _embedded(
        self, side: int, features: Float[Tensor, "*B T F"], positions: Float[Tensor, "*T D"]
    ) -> Float[Tensor, "*B T D"]:
        embedded: Tensor = self.dropout(self.norms[side](self.values[side](features) + positions))
        return embedded


class SteppingDecoderLayer(DecoderLayer):
    """A decoder layer that can also go on from step to step, with the keys and values of the steps before."""

    own: MultiHeadAttention
    cross: MultiHeadAttention

    def __init__(self, width: int, n_heads: int, head_width: int, feed: nn.Module, dropout: float) -> None:
        own, cross = (MultiHeadAttention(FullAttention(causal=causal), width, n_heads, head_width) for causal in (True, False))
        super().__init__(own, cross, feed, width, dropout)

    def read(self, memory: Float[Tensor, "R L D"]) -> tuple[Float[Tensor, "R N L d"], Float[Tensor, "R N L d"]]:
        """Keys and values of the encoder's output."""
        return self._heads(self.cross.key, memory), self._heads(self.cross.value, memory)

    def step(
        self,
        step: Float[Tensor, "B n C D"],
        memory: tuple[Float[Tensor, "R N L d"], Float[Tensor, "R N L d"]],
        kept: Float[Tensor, "2 Q N T d"],
        place: int,
    ) -> tuple[Float[Tensor, "B n C D"], Float[Tensor, "2 Q N T d"]]:
        """What ``forward`` puts out at one step, for each path; and what is kept for the next.

        Args:
            step: Number ``place`` of the horizon, from 0.
            memory: What ``read`` gave.
            kept: Of all rows (window, path, channel): what came before is read, and what is here is written.
            place: How many steps came before.
        """
        rows = step.flatten(0, 2).unsqueeze(1)
        query, key, value = (self._heads(part, rows) for part in (self.own.query, self.own.key, self.own.value))
        kept = kept.clone() if torch.is_grad_enabled() else kept  # a gradient needs what each step has read
        kept[0, :, :, place], kept[1, :, :, place] = key.squeeze(2), value.squeeze(2)
        keys, values = kept[0, :, :, : place + 1], kept[1, :, :, : place + 1]
        own = self.own.output(F.scaled_dot_product_attention(query, keys, values).flatten(1)).view_as(step)
        step = self.norms[0](step + self.dropout(own))

        paths = step.transpose(1, 2)  # of a channel, as the queries to its memory
        query = self._heads(self.cross.query, paths.flatten(0, 1))
        attended = F.scaled_dot_product_attention(query, *memory).transpose(1, 2).flatten(2)
        cross = self.cross.output(attended).view_as(paths).transpose(1, 2)
        step = self.norms[1](step + self.dropout(cross))
        outputs: Tensor = self.norms[2](step + self.dropout(self.feed(step)))
        return outputs, kept

    def _heads(self, projection: nn.Module, steps: Float[Tensor, "R T D"]) -> Float[Tensor, "R N T d"]:
        projected: Tensor = projection(steps)
        return projected.view(*steps.shape[:2], self.own.n_heads, -1).transpose(1, 2)


MODEL = TimeSeriesTransformer
