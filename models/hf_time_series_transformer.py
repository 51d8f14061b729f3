"""Hugging Face's own time series transformer, tuned as it is; needs the extra ``originals``.

The network of Vaswani, Shazeer, Parmar, Uszkoreit, Jones, Gomez, Kaiser and Polosukhin, "Attention Is All You Need", NeurIPS
2017, as TimeSeriesTransformerForPrediction of the library transformers 5.24.0.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Literal, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from datasets.windows.batch import Batch, Inputs
from models.base import Forecast, Forecaster, Use, WindowShape
from models.heads.base import Head
from models.heads.draws import Draws
from models.heads.student_t import student_t_quantile
from models.layers.arguments import at_least, fraction
from models.layers.extras import from_extra
from models.layers.sampling import in_parts


class HFTimeSeriesTransformer(Forecaster):
    """TimeSeriesTransformerForPrediction of transformers 5.24.0: the transformer (Vaswani et al., NeurIPS 2017) with lags.

    Embedding, scaler, encoder, decoder, projection and distribution are the library's modules, in the order of its ``forward``
    and ``generate``; defaults are those of its configuration. All channels of a step are one input and one output. Its loss
    is -log of the density of a step, the sum over channels: ``train.loss=own``.

    What is done here: a window's lags come with it, where the library cuts them from one long series, and 0 stands, in the
    network's units, for a value before the lookback that no lag brings; the value before each step, lag 1, is always read;
    a window that observed nothing of a channel is scaled by all of its values there, not by those of other windows; a path
    draws from a window's own numbers, spread evenly over the paths, not from the shared generator; keys and values of earlier
    steps are kept, where the library's ``generate`` computes them anew. Its negative binomial distribution is left out.

    Args:
        shape: The sizes of a window. K, S, G and the lags may be absent.
        n_heads: Attention heads.
        head_width: Width of each; the library's d_model is n_heads * head_width, by default 64.
        n_encoder_layers: Layers over the lookback.
        n_decoder_layers: Layers over the horizon.
        feedforward: Width between the two maps of each feed-forward layer.
        dropout: On embeddings, attention weights, activations, and what each layer adds; the library has one for each.
        layer_drop: Probability that a training step leaves out a layer.
        activation: Of the feed-forward layers: gelu or relu.
        distribution: Of a value: student_t or normal.
        scaling: What a window is divided by: mean (absolute value), std (after its mean was taken out), or none.

    Raises:
        ValueError: an argument is out of its range, or the library is not installed.
    """

    heads: ClassVar[tuple[str, ...]] = ("own",)
    teacher_forced: ClassVar[bool] = True
    uses: ClassVar[frozenset[Use]] = frozenset({"known", "static", "lags", "observed"})

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
        layer_drop: float = 0.1,
        activation: Literal["gelu", "relu"] = "gelu",
        distribution: Literal["student_t", "normal"] = "student_t",
        scaling: Literal["mean", "std", "none"] = "mean",
    ) -> None:
        with from_extra("originals"):
            from transformers import TimeSeriesTransformerConfig, TimeSeriesTransformerForPrediction
        super().__init__(shape)
        at_least(1, n_heads=n_heads, head_width=head_width, feedforward=feedforward)
        at_least(1, n_encoder_layers=n_encoder_layers, n_decoder_layers=n_decoder_layers)
        fraction(dropout=dropout, layer_drop=layer_drop)
        self.lags = (1, *(lag for lag in shape.lags if lag > 1))
        self.network: Any = TimeSeriesTransformerForPrediction(
            TimeSeriesTransformerConfig(
                prediction_length=shape.horizon,
                context_length=shape.lookback,
                input_size=shape.n_targets,
                lags_sequence=list(self.lags),
                num_time_features=shape.n_known,
                num_static_real_features=shape.n_static,
                num_static_categorical_features=len(shape.cardinalities),
                cardinality=list(shape.cardinalities) or None,
                distribution_output=distribution,
                scaling=None if scaling == "none" else scaling,
                d_model=n_heads * head_width,
                encoder_attention_heads=n_heads,
                decoder_attention_heads=n_heads,
                encoder_layers=n_encoder_layers,
                decoder_layers=n_decoder_layers,
                encoder_ffn_dim=feedforward,
                decoder_ffn_dim=feedforward,
                dropout=dropout,
                attention_dropout=dropout,
                activation_dropout=dropout,
                encoder_layerdrop=layer_drop,
                decoder_layerdrop=layer_drop,
                activation_function=activation,
                use_cache=False,
            )
        )
        for side in (self.network.model.encoder, self.network.model.decoder):
            positions = side.embed_positions.weight.detach()
            del side.embed_positions.weight  # a constant, which the library keeps as a weight that is not trained
            side.embed_positions.register_buffer("weight", positions, persistent=False)

    def forward(self, inputs: Inputs) -> Float[Tensor, "B H C 1"]:
        """The path on which each value is the location of its step."""
        read = self._read(inputs)
        return self._sampled(read, 1, lambda location, scale, df: location).movedim(1, -1)

    def training_loss(self, batch: Batch, head: Head) -> Float[Tensor, "B H C"]:
        """-log of the density of each future value, in nats, given the true values before it."""
        read = self._read(batch.inputs)
        future = (batch.future_target - read.loc) / read.scale
        parameters = self._projected(self._taught(read, future))
        density = self.network.distribution_output.distribution_class(*parameters, validate_args=False)
        losses: Tensor = read.scale.log() - density.log_prob(future)
        return losses

    def predict(self, inputs: Inputs, head: Head, n_paths: int, draws: Draws) -> Forecast:
        """Paths that are drawn step by step; each is one draw of all steps and channels."""

        def sample(inputs: Inputs, draws: Draws) -> Float[Tensor, "B n H C"]:
            def draw(location: Tensor, scale: Tensor, df: Tensor | None) -> Tensor:
                levels = draws.levels(n_paths, location.shape[-1])
                drawn = torch.special.ndtri(levels) if df is None else student_t_quantile(df, levels)
                return location + scale * drawn

            return self._sampled(self._read(inputs), n_paths, draw)

        return Forecast(paths=in_parts(sample, inputs, draws, n_paths * self.shape.horizon))

    def _read(self, inputs: Inputs) -> Read:
        network = self.network.model
        observed = inputs.past_observed | ~inputs.past_observed.any(1, keepdim=True)
        _, loc, scale = network.scaler(inputs.past_target, observed)
        past, future = inputs.past_lags, inputs.future_lags
        if 1 not in self.shape.lags:
            before = torch.cat([loc, inputs.past_target[:, :-1]], 1)
            last = inputs.past_target[:, -1:].expand(-1, self.shape.horizon, -1)
            past, future = (torch.cat([a.unsqueeze(-1), b], -1) for a, b in ((before, past), (last, future)))
        past, future = ((lags - loc.unsqueeze(-1)) / scale.unsqueeze(-1) for lags in (past, future))

        static = [network.embedder(inputs.static_categories)] if self.shape.cardinalities else []
        static += [inputs.static, loc.squeeze(1).abs().log1p(), scale.squeeze(1).log()]
        joined = torch.cat(static, -1).unsqueeze(1)
        rest = [
            torch.cat([joined.expand(-1, known.shape[1], -1), known], -1) for known in (inputs.past_known, inputs.future_known)
        ]
        memory = network.encoder(inputs_embeds=torch.cat([past.flatten(2), rest[0]], -1)).last_hidden_state
        return Read(loc, scale, memory, future, rest[1])

    def _taught(self, read: Read, future: Float[Tensor, "B H C"]) -> Float[Tensor, "B H D"]:
        """The decoder's states at all steps of the horizon, given the true values before each."""
        n_steps = future.shape[1]
        lags = [
            torch.cat([read.lags[:, :lag, :, place], future[:, : max(n_steps - lag, 0)]], 1)
            for place, lag in enumerate(self.lags)
        ]
        features = torch.cat([torch.stack(lags, -1).flatten(2), read.rest], -1)
        decoder = self.network.model.decoder
        states: Tensor = decoder(inputs_embeds=features, encoder_hidden_states=read.memory).last_hidden_state
        return states

    def _next(self, read: Read, values: list[Tensor], cache: Any) -> Float[Tensor, "B 1 D"]:
        """The decoder's state at the step after some values; keys and values of earlier steps are in the cache."""
        step, decoder = len(values), self.network.model.decoder
        lags = [values[step - lag] if lag <= step else read.lags[:, step, :, place] for place, lag in enumerate(self.lags)]
        features = torch.cat([torch.stack(lags, -1).flatten(1), read.rest[:, step]], -1).unsqueeze(1)
        # Not by the decoder's forward, in whose eyes every call with a cache is the first step.
        position = decoder.embed_positions.weight[self.shape.lookback + step]
        states: Tensor = decoder.layernorm_embedding(decoder.value_embedding(features) + position)
        for layer in decoder.layers:
            states = layer(states, None, read.memory, cache=cache)
        return states

    def _projected(self, states: Float[Tensor, "B T D"]) -> list[Float[Tensor, "B T C"]]:
        """Those of the distribution in its own order: (df, location, scale) or (location, scale)."""
        shape = (*states.shape[:2], self.shape.n_targets)
        return [parameter.float().view(shape) for parameter in self.network.parameter_projection(states)]

    def _sampled(
        self, read: Read, n_paths: int, draw: Callable[[Tensor, Tensor, Tensor | None], Tensor]
    ) -> Float[Tensor, "B n H C"]:
        """Paths of the horizon; ``draw`` gets (B, n, C) locations, scales and degrees of freedom."""
        from transformers import DynamicCache, EncoderDecoderCache

        cache = EncoderDecoderCache(DynamicCache(), DynamicCache())
        rows = Read(*(part.repeat_interleave(n_paths, 0) for part in read))
        values: list[Tensor] = []
        for _ in range(self.shape.horizon):
            parameters = self._projected(self._next(rows, values, cache))
            *df, location, scale = (parameter.view(-1, n_paths, self.shape.n_targets) for parameter in parameters)
            values.append(draw(location, scale, df[0] if df else None).flatten(0, 1))
        paths = torch.stack(values, 1) * rows.scale + rows.loc
        return paths.view(-1, n_paths, self.shape.horizon, self.shape.n_targets)


class Read(NamedTuple):
    """What the horizon needs of a window; lags in the network's units, 0 or arbitrary where they lie after the origin."""

    loc: Tensor
    scale: Tensor
    memory: Tensor
    lags: Tensor
    rest: Tensor


MODEL = HFTimeSeriesTransformer
