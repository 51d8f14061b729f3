"""pytorch-forecasting's own Temporal Fusion Transformer, tuned as it is; needs the extra ``originals``.

The network of Lim, Arik, Loeff and Pfister, "Temporal Fusion Transformers for Interpretable Multi-horizon Time Series
Forecasting", IJF 2021, as TemporalFusionTransformer of the library pytorch-forecasting 1.8.0.
"""

from __future__ import annotations

import warnings
from typing import Any, ClassVar, Literal, NamedTuple, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor, nn

from datasets.windows.batch import Inputs
from models.base import Explanation, Forecaster, Use, WindowShape
from models.layers.arguments import at_least, fraction
from models.layers.extras import from_extra
from models.layers.normalisation import WindowNorm
from models.layers.recurrent import Recurrent

Variables: TypeAlias = dict[str, Tensor]
_NO_LAYERS = {"loss", "logging_metrics"}


class PFTFT(Forecaster):
    """TemporalFusionTransformer of pytorch-forecasting 1.8.0: the TFT (Lim et al., IJF 2021) with that library's changes.

    The layers are the library's, with its first weights, called in the order of its ``forward``; that itself is not called, as
    it sorts out windows of several lengths and cannot be compiled. Defaults are the library's. Its training is not used.

    Several targets are forecast together: the past of each is one more observed variable, and the last map, which the library
    has one of for each target, puts out all of them. ``train.loss`` says what the outputs mean; the library's is a quantile
    loss at 7 levels, with quantiles that may cross.

    A class of variables that is absent has what the library calls for then: where nothing is static, the length of the past,
    a constant here, and where nothing is known ahead, the place of a step relative to the origin.

    Where the library departs from the paper: gated residual networks resize what skips them by interpolation, not by a map,
    with a gate and a norm of its own; variables have few numbers (continuous_width), and a category no residual network; a
    step does not attend to itself; the map after attention has no bias, and dropout behind it.

    Args:
        shape: The sizes of a window. Every class but the past of the targets may be absent.
        width: Of all layers but those of single variables; the library's hidden_size.
        n_heads: Attention heads, each of width // n_heads; the library's attention_head_size.
        continuous_width: Of the vector of a number; the library's hidden_continuous_size.
        n_layers: Of both LSTMs.
        dropout: Before gates, and behind attention.
        norm: Level and spread of the observed past, which the network does not see: none, last (value), revin (see WindowNorm).
            The library's EncoderNormalizer, which it takes at lookbacks above 20, is revin without the learned affine map.

    Raises:
        ValueError: an argument is out of its range, or the library is not installed.
    """

    uses: ClassVar[frozenset[Use]] = frozenset({"covariates", "known", "static", "observed"})
    unseen: Tensor

    def __init__(
        self,
        shape: WindowShape,
        *,
        width: int = 16,
        n_heads: int = 4,
        continuous_width: int = 8,
        n_layers: int = 1,
        dropout: float = 0.1,
        norm: Literal["none", "last", "revin"] = "revin",
    ) -> None:
        with from_extra("originals"):
            from pytorch_forecasting.models import TemporalFusionTransformer
            from pytorch_forecasting.utils import get_embedding_size
        super().__init__(shape)
        at_least(1, width=width, n_heads=n_heads, continuous_width=continuous_width, n_layers=n_layers)
        fraction(dropout=dropout)
        if n_heads > width:
            raise ValueError(f"model.n_heads must not exceed width, got n_heads={n_heads}, width={width}")
        self.norm = WindowNorm(norm, shape.n_targets)
        self.observed = [*_names("target", shape.n_targets), *_names("covariate", shape.n_past_covariates)]
        self.known = _names("known", shape.n_known) or ["relative_time_idx"]
        self.categories = _names("category", len(shape.cardinalities))
        self.static = _names("static", shape.n_static) or ([] if self.categories else ["encoder_length"])
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Attribute .* is an instance of `nn.Module`")  # of its own call
            library: Any = TemporalFusionTransformer(
                hidden_size=width,
                lstm_layers=n_layers,
                dropout=dropout,
                output_size=shape.n_targets * shape.n_outputs,
                attention_head_size=n_heads,
                max_encoder_length=shape.lookback,
                static_categoricals=self.categories,
                static_reals=self.static,
                time_varying_reals_encoder=[*self.observed, *self.known],
                time_varying_reals_decoder=self.known,
                x_reals=[*self.observed, *self.known, *self.static],
                x_categoricals=self.categories,
                hidden_continuous_size=continuous_width,
                embedding_sizes={
                    name: (n, get_embedding_size(n)) for name, n in zip(self.categories, shape.cardinalities, strict=True)
                },
            )
        # Its layers, each once, and not the whole: that is a module of another Lightning, whose device does not follow ours.
        self.layers: Any = nn.ModuleDict({name: part for name, part in library.named_children() if name not in _NO_LAYERS})
        for name in ("static", "encoder", "decoder"):
            self.layers[f"{name}_variable_selection"].prescalers = nn.ModuleDict()  # those that the layers hold already
        for name in ("lstm_encoder", "lstm_decoder"):  # the same kernel and weights, without lengths
            self.layers[name] = Recurrent("LSTM", width, width, n_layers=n_layers, dropout=dropout)
            self.layers[name].load_state_dict(getattr(library, name).state_dict())
        unseen = torch.ones(shape.horizon, shape.horizon, dtype=torch.bool).triu()
        self.register_buffer("unseen", nn.functional.pad(unseen, (shape.lookback, 0)).unsqueeze(0), persistent=False)

    def forward(self, inputs: Inputs) -> Float[Tensor, "B H C O"]:
        """The outputs for all steps of the horizon in one pass."""
        past, statistics = self.norm(inputs.past_target, inputs.past_observed)
        fused, _ = self.temporal(past, inputs)
        outputs: Tensor = self.layers.output_layer(fused).unflatten(-1, (self.shape.n_targets, self.shape.n_outputs))
        return self.norm.restore(outputs, statistics)

    def explain(self, inputs: Inputs) -> Explanation:
        """The weights of variable selection and, as the mean over heads, of attention.

        What stands in for an absent class has no place among them: the others share what it took.
        """
        _, weights = self.temporal(self.norm(inputs.past_target, inputs.past_observed)[0], inputs)
        known = _names("known", self.shape.n_known)
        return Explanation(
            static=self.chosen("static", weights.static, [*_names("static", self.shape.n_static), *self.categories]),
            past=self.chosen("encoder", weights.past, [*self.observed, *known]),
            future=self.chosen("decoder", weights.future, known),
            attention=weights.attention.mean(2),
        )

    def chosen(self, selection: str, weights: Float[Tensor, "*B 1 all"], names: list[str]) -> Float[Tensor, "*B n"]:
        """The weights of some variables, in their order."""
        places = {name: place for place, name in enumerate(self.layers[f"{selection}_variable_selection"].input_sizes)}
        found = weights.squeeze(-2)[..., [places[name] for name in names]]
        return found / found.sum(-1, keepdim=True)

    def temporal(self, past: Float[Tensor, "B L C"], inputs: Inputs) -> tuple[Float[Tensor, "B H D"], Weights]:
        """What the outputs are a map of, and how variables and steps were weighed."""
        layers, horizon = self.layers, slice(self.shape.lookback, None)
        static, varying, ahead = self.variables(past, inputs)
        context, of_static = layers.static_variable_selection(static)
        choosing = layers.static_context_variable_selection(context).unsqueeze(1)
        history, of_past = layers.encoder_variable_selection(varying, choosing)
        future, of_future = layers.decoder_variable_selection(ahead, choosing)

        first = (layers.static_context_initial_hidden_lstm(context), layers.static_context_initial_cell_lstm(context))
        n_layers = layers.lstm_encoder.num_layers
        encoded, state = layers.lstm_encoder(history, tuple(part.expand(n_layers, -1, -1).contiguous() for part in first))
        decoded, _ = layers.lstm_decoder(future, state)
        opened = layers.post_lstm_gate_encoder(torch.cat([encoded, decoded], 1))
        steps = layers.post_lstm_add_norm_encoder(opened, torch.cat([history, future], 1))

        enriched = layers.static_enrichment(steps, layers.static_context_enrichment(context).unsqueeze(1))
        attended, of_steps = layers.multihead_attn(enriched[:, horizon], enriched, enriched, mask=self.unseen)
        attended = layers.pos_wise_ff(layers.post_attn_gate_norm(attended, enriched[:, horizon]))
        fused = layers.pre_output_gate_norm(attended, steps[:, horizon])
        return fused, Weights(of_static, of_past, of_future, of_steps)

    def variables(self, past: Float[Tensor, "B L C"], inputs: Inputs) -> tuple[Variables, Variables, Variables]:
        """The vectors of what is static, of what varies in the past, and of what is known ahead."""
        lookback, static = self.shape.lookback, inputs.static
        past_known, future_known = inputs.past_known, inputs.future_known
        if not self.shape.n_known:
            places = torch.arange(-lookback, self.shape.horizon, device=past.device) / lookback
            past_known, future_known = (part.expand(len(past), -1, -1) for part in places.view(-1, 1).tensor_split([lookback]))
        if self.static == ["encoder_length"]:
            static = torch.ones_like(past[:, 0, :1])
        observed = torch.cat([past, inputs.past_covariates, past_known], -1)
        categories = self.layers.input_embeddings(inputs.static_categories)
        return (
            {**categories, **self.numbers(self.static, static)},
            self.numbers([*self.observed, *self.known], observed),
            self.numbers(self.known, future_known),
        )

    def numbers(self, names: list[str], values: Float[Tensor, "*B n"]) -> Variables:
        """The vector of each number, by the name of its variable."""
        return {
            name: self.layers.prescalers[name](value.unsqueeze(-1))
            for name, value in zip(names, values.unbind(-1), strict=True)
        }


class Weights(NamedTuple):
    """As the library's layers give them: of all their variables, and of each head."""

    static: Tensor
    past: Tensor
    future: Tensor
    attention: Tensor


def _names(kind: str, n: int) -> list[str]:
    return [f"{kind}_{place}" for place in range(n)]


MODEL = PFTFT
