"""Temporal Fusion Transformer: chosen variables through an LSTM, then attention that can be read.

Lim, Arik, Loeff and Pfister, "Temporal Fusion Transformers for Interpretable Multi-horizon Time Series Forecasting", IJF 2021.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import accumulate
from typing import ClassVar, Literal, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from datasets.windows.batch import Inputs
from models.base import Explanation, Forecaster, Use, WindowShape
from models.layers.arguments import at_least
from models.layers.dropout import Dropout
from models.layers.normalisation import WindowNorm
from models.layers.recurrent import Recurrent, State


class TFT(Forecaster):
    """TFT (Lim et al., IJF 2021, section 4), for any of its three classes of inputs, static, observed and known ahead.

    - Each variable becomes a vector: a number by a linear map, a category by its row of a table.
    - At each step a softmax chooses among the variables (equations 6 to 8), for the past and for the horizon.
    - Static variables, chosen alike, give four contexts: for the choice, the LSTM's first cell and hidden states, and the
      enrichment (section 4.3).
    - An LSTM reads the past, a second one goes on through the horizon; a gate adds what they say (equation 17).
    - Each step is enriched with the static context (equation 18). Each step of the horizon attends to all steps up to itself,
      with heads that share their values (equations 13 to 16 and 19); a gate adds what comes (equation 20), then a residual
      network and a last gate around all of it (equations 21 and 22).
    - A linear map gives the outputs (equation 23). The paper's loss is ``train.loss=quantile``.

    Several targets are forecast together: the past of each is one more observed variable, and the last map puts out all of
    them. The paper has one target.

    Departures: where nothing is known ahead, which the paper does not foresee, the decoder reads a learned vector at each step;
    of a class with one variable nothing is chosen; attention weights have no dropout; quantiles come from the head, which keeps
    them in order; a norm of the window around the network, off by default. Only the steps of the horizon attend, as no others
    are read. Defaults are those of the paper's electricity data.

    Args:
        shape: The sizes of a window. Every class but the past of the targets may be absent.
        width: D, of all layers.
        n_heads: Attention heads, each of width D // n_heads, or 1.
        dropout: Before each gate.
        norm: Level and spread of the observed past, which the network does not see: none, last (value), revin (see WindowNorm).

    Raises:
        ValueError: an argument is out of its range.
    """

    uses: ClassVar[frozenset[Use]] = frozenset({"covariates", "known", "static", "observed"})

    def __init__(
        self,
        shape: WindowShape,
        *,
        width: int = 160,
        n_heads: int = 4,
        dropout: float = 0.1,
        norm: Literal["none", "last", "revin"] = "none",
    ) -> None:
        super().__init__(shape)
        at_least(1, width=width, n_heads=n_heads)
        self.norm = WindowNorm(norm, shape.n_targets)
        residual = partial(GatedResidual, width, width, width, dropout)
        n_observed, n_static = shape.n_targets + shape.n_past_covariates, shape.n_static + len(shape.cardinalities)
        with_context = n_static > 0

        self.observed = Embedding(n_observed, width)
        self.past = Selection(n_observed + shape.n_known, width, dropout, context=with_context)
        if shape.n_known:
            self.known = Embedding(shape.n_known, width)
            self.future = Selection(shape.n_known, width, dropout, context=with_context)
        else:
            self.unknown = nn.Parameter(torch.randn(width))
        if with_context:
            self.static_values = Embedding(shape.n_static, width) if shape.n_static else None
            self.static_categories = Categories(shape.cardinalities, width) if shape.cardinalities else None
            self.static = Selection(n_static, width, dropout)
            self.contexts = nn.ModuleList(residual() for _ in range(4))

        self.encoder, self.decoder = (Recurrent("LSTM", width, width) for _ in range(2))
        self.recurrent_gate = Gate(width, width, dropout)
        self.enrichment = residual(context=with_context)
        self.attention = InterpretableAttention(shape.lookback, shape.horizon, width, n_heads)
        self.attention_gate = Gate(width, width, dropout)
        self.feed = residual()
        self.last_gate = Gate(width, width, dropout)
        self.projection = nn.Linear(width, shape.n_targets * shape.n_outputs)

    def forward(self, inputs: Inputs) -> Float[Tensor, "B H C O"]:
        """The outputs for all steps of the horizon in one pass."""
        past, statistics = self.norm(inputs.past_target, inputs.past_observed)
        horizon = slice(self.shape.lookback, None)
        steps, enriched, _ = self.temporal(past, inputs)
        attended = self.attention_gate(self.attention(enriched), enriched[:, horizon])
        fused = self.last_gate(self.feed(attended), steps[:, horizon])
        outputs: Tensor = self.projection(fused).unflatten(-1, (self.shape.n_targets, self.shape.n_outputs))
        return self.norm.restore(outputs, statistics)

    def explain(self, inputs: Inputs) -> Explanation:
        """The weights of variable selection and, as the mean over heads, of attention (section 7)."""
        _, enriched, chosen = self.temporal(self.norm(inputs.past_target, inputs.past_observed)[0], inputs)
        return Explanation(**chosen._asdict(), attention=self.attention.weights(enriched))

    def temporal(
        self, past: Float[Tensor, "B L C"], inputs: Inputs
    ) -> tuple[Float[Tensor, "B T D"], Float[Tensor, "B T D"], Chosen]:
        """The T = L + H steps after the LSTM, the same enriched, and how variables were weighed."""
        static, selecting, enriching, state = self.static_contexts(inputs)
        variables = self.observed(torch.cat([past, inputs.past_covariates], -1))
        future_weights = inputs.future_known
        if self.shape.n_known:
            variables = torch.cat([variables, self.known(inputs.past_known)], -2)
            future, future_weights = self.future(self.known(inputs.future_known), selecting)
        else:
            future = self.unknown.expand(len(past), self.shape.horizon, -1)
        history, past_weights = self.past(variables, selecting)

        encoded, state = self.encoder(history, state)
        decoded, _ = self.decoder(future, state)
        steps = self.recurrent_gate(torch.cat([encoded, decoded], 1), torch.cat([history, future], 1))
        return steps, self.enrichment(steps, enriching), Chosen(static, past_weights, future_weights)

    def static_contexts(
        self, inputs: Inputs
    ) -> tuple[Float[Tensor, "B static"], Float[Tensor, "B 1 D"] | None, Float[Tensor, "B 1 D"] | None, State | None]:
        """The weights of static variables, and the contexts for the choice, the enrichment and the LSTM's first state; without
        static variables none."""
        if not (self.shape.n_static or self.shape.cardinalities):
            return inputs.static, None, None, None
        variables = []
        if self.static_values is not None:
            variables.append(self.static_values(inputs.static))
        if self.static_categories is not None:
            variables.append(self.static_categories(inputs.static_categories))
        static, weights = self.static(torch.cat(variables, -2))
        selecting, enriching, cell, hidden = (context(static) for context in self.contexts)
        return weights, selecting.unsqueeze(1), enriching.unsqueeze(1), (hidden.unsqueeze(0), cell.unsqueeze(0))


class Chosen(NamedTuple):
    """The weights of variable selection; see ``Explanation``."""

    static: Tensor
    past: Tensor
    future: Tensor


class Embedding(nn.Module):
    """A linear map of each number to a vector of its own."""

    def __init__(self, n_variables: int, width: int) -> None:
        super().__init__()
        self.weight, self.bias = (nn.Parameter(torch.empty(n_variables, width).uniform_(-1, 1)) for _ in range(2))

    def forward(self, values: Float[Tensor, "*rest n"]) -> Float[Tensor, "*rest n D"]:
        """One vector a number."""
        return torch.addcmul(self.bias, values.unsqueeze(-1), self.weight)


class Categories(nn.Module):
    """A table of vectors for each category, as one table of all."""

    starts: Tensor

    def __init__(self, cardinalities: tuple[int, ...], width: int) -> None:
        super().__init__()
        self.table = nn.Embedding(sum(cardinalities), width)
        self.register_buffer("starts", torch.tensor([0, *accumulate(cardinalities[:-1])]), persistent=False)

    def forward(self, categories: Tensor) -> Float[Tensor, "B G D"]:
        """One vector a category."""
        vectors: Tensor = self.table(categories + self.starts)
        return vectors


class Linears(nn.Module):
    """A linear map for each of n variables, as one product."""

    def __init__(self, n_maps: int, n_inputs: int, n_outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_maps, n_inputs, n_outputs).uniform_(-1, 1) / n_inputs**0.5)
        self.bias = nn.Parameter(torch.empty(n_maps, 1, n_outputs).uniform_(-1, 1) / n_inputs**0.5)

    def forward(self, values: Float[Tensor, "n M i"]) -> Float[Tensor, "n M o"]:
        """Each variable through its map."""
        return torch.baddbmm(self.bias, values, self.weight)


class LayerNorms(nn.Module):
    """A layer norm for each of n variables."""

    def __init__(self, n_norms: int, width: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(n_norms, 1, width)), nn.Parameter(torch.zeros(n_norms, 1, width))

    def forward(self, values: Float[Tensor, "n M D"]) -> Float[Tensor, "n M D"]:
        """Each variable through its norm."""
        return torch.addcmul(self.bias, F.layer_norm(values, values.shape[-1:]), self.weight)


class Gate(nn.Module):
    """LayerNorm(skip + GLU(values)), GLU(x) = sigmoid(W4 x + b4) * (W5 x + b5) (equations 2 and 5).

    Args:
        n_inputs: Of the values.
        width: Of the skip and of what comes out.
        dropout: On the values.
        n_maps: One gate for each of so many variables, which are the first dimension; None for one alone.
    """

    def __init__(self, n_inputs: int, width: int, dropout: float, n_maps: int | None = None) -> None:
        super().__init__()
        self.dropout = Dropout(dropout)
        self.linear = _linear(n_maps)(n_inputs, 2 * width)
        self.norm = nn.LayerNorm(width) if n_maps is None else LayerNorms(n_maps, width)

    def forward(self, values: Float[Tensor, "*rest i"], skip: Float[Tensor, "*rest D"]) -> Float[Tensor, "*rest D"]:
        """As wide as the skip."""
        outputs: Tensor = self.norm(skip + F.glu(self.linear(self.dropout(values)), -1))
        return outputs


class GatedResidual(nn.Module):
    """GRN(a, c) = LayerNorm(a + GLU(W1 ELU(W2 a + W3 c + b2) + b1)) (equations 2 to 5); ``a`` is mapped where widths differ.

    Args:
        n_inputs: Of a.
        hidden: Between the maps.
        n_outputs: Of what comes out.
        dropout: Before the gate.
        context: Whether there is c, as wide as what is hidden.
        n_maps: One network for each of so many variables, which are the first dimension; None for one alone.
    """

    def __init__(
        self, n_inputs: int, hidden: int, n_outputs: int, dropout: float, *, context: bool = False, n_maps: int | None = None
    ) -> None:
        super().__init__()
        linear = _linear(n_maps)
        self.skip = linear(n_inputs, n_outputs) if n_inputs != n_outputs else nn.Identity()
        self.inner, self.outer = linear(n_inputs, hidden), linear(hidden, hidden)
        self.context = nn.Linear(hidden, hidden, bias=False) if context else None
        self.gate = Gate(hidden, n_outputs, dropout, n_maps)

    def forward(self, values: Float[Tensor, "*rest i"], context: Tensor | None = None) -> Float[Tensor, "*rest o"]:
        """One vector for each; the context is stretched over the steps."""
        inner = self.inner(values)
        if self.context is not None:
            inner = inner + self.context(context)
        outputs: Tensor = self.gate(self.outer(F.elu(inner)), self.skip(values))
        return outputs


def _linear(n_maps: int | None) -> Callable[[int, int], nn.Module]:
    return nn.Linear if n_maps is None else partial(Linears, n_maps)


class Selection(nn.Module):
    """The sum of n variables, each through a residual network of its own, weighed by a softmax over all (equations 6 to 8).

    The n networks run as one batched product.

    Args:
        n_variables: n. One variable has weight 1 without more ado.
        width: D.
        dropout: Before the gates.
        context: Whether a static context helps to choose.
    """

    def __init__(self, n_variables: int, width: int, dropout: float, *, context: bool = False) -> None:
        super().__init__()
        self.variables = GatedResidual(width, width, width, dropout, n_maps=n_variables)
        self.weights = None
        if n_variables > 1:
            self.weights = GatedResidual(n_variables * width, width, n_variables, dropout, context=context)

    def forward(
        self, variables: Float[Tensor, "*rest n D"], context: Tensor | None = None
    ) -> tuple[Float[Tensor, "*rest D"], Float[Tensor, "*rest n"]]:
        """What was chosen, and the weight of each variable."""
        vectors = self.variables(variables.flatten(0, -3).transpose(0, 1)).unflatten(1, variables.shape[:-2])
        if self.weights is None:
            return vectors[0], torch.ones_like(variables[..., 0])
        weights = self.weights(variables.flatten(-2), context).softmax(-1)
        return (vectors * weights.movedim(-1, 0).unsqueeze(-1)).sum(0), weights


class InterpretableAttention(nn.Module):
    """Heads with keys and queries of their own and values that they share, so that the mean of their weights is the weight of a
    step (equations 13 to 16): W_H mean_h(softmax(Q_h K_h' / sqrt(d))) V.

    Args:
        lookback: L.
        horizon: H; its steps attend to those of the past and to those of the horizon up to themselves.
        width: Of the steps.
        n_heads: Each of width // n_heads, or 1.
    """

    seen: Tensor

    def __init__(self, lookback: int, horizon: int, width: int, n_heads: int) -> None:
        super().__init__()
        self.horizon, self.n_heads, head_width = horizon, n_heads, max(width // n_heads, 1)
        self.query, self.key = (nn.Linear(width, n_heads * head_width) for _ in range(2))
        self.value, self.output = nn.Linear(width, head_width), nn.Linear(head_width, width)
        seen = torch.ones(horizon, lookback + horizon, dtype=torch.bool).tril(lookback)
        self.register_buffer("seen", seen, persistent=False)

    def heads(self, steps: Float[Tensor, "B T D"]) -> tuple[Float[Tensor, "B N H d"], Float[Tensor, "B N T d"]]:
        """The queries of the horizon, and the keys of all steps."""
        queries, keys = self.query(steps[:, -self.horizon :]), self.key(steps)
        return queries.unflatten(-1, (self.n_heads, -1)).transpose(1, 2), keys.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)

    def forward(self, steps: Float[Tensor, "B T D"]) -> Float[Tensor, "B H D"]:
        """What each step of the horizon reads."""
        queries, keys = self.heads(steps)
        values = self.value(steps).unsqueeze(1).expand_as(keys)
        read: Tensor = self.output(F.scaled_dot_product_attention(queries, keys, values, attn_mask=self.seen).mean(1))
        return read

    def weights(self, steps: Float[Tensor, "B T D"]) -> Float[Tensor, "B H T"]:
        """The mean over heads of what a step of the horizon gives to each step."""
        queries, keys = self.heads(steps)
        scores = queries @ keys.mT / queries.shape[-1] ** 0.5
        weights: Tensor = scores.masked_fill(~self.seen, -torch.inf).softmax(-1).mean(1)
        return weights


MODEL = TFT
