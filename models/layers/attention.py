"""Multi-head attention: full, and the ProbSparse attention of the Informer."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

_FEW = 16


class FullAttention(nn.Module):
    """softmax(Q K' / sqrt(D)) V (Vaswani et al., NeurIPS 2017, equation 1).

    It is the library's fused one, but for up to 16 keys on a CPU, where two products and a softmax are faster.

    Args:
        causal: A query sees no key after its own place.
    """

    def __init__(self, *, causal: bool = False) -> None:
        super().__init__()
        self.causal = causal

    def forward(
        self, queries: Float[Tensor, "B N Q D"], keys: Float[Tensor, "B N T D"], values: Float[Tensor, "B N T D"]
    ) -> Float[Tensor, "B N Q D"]:
        """One output a query and head."""
        if keys.shape[-2] <= _FEW and not self.causal and keys.device.type == "cpu":
            attended: Tensor = (queries @ keys.mT * queries.shape[-1] ** -0.5).softmax(-1) @ values
            return attended
        return F.scaled_dot_product_attention(queries, keys, values, is_causal=self.causal)


class ProbSparseAttention(nn.Module):
    """Only the u queries whose attention is far from uniform attend; the others get the mean of the values.

    Zhou et al., AAAI 2021, equations 3 and 4. A query's distance from uniform is M(q, K) = max_j s_j - mean_j s_j with
    s_j = q k_j' / sqrt(D), over ``factor * ceil(ln T)`` keys j drawn for each query place. The ``factor * ceil(ln Q)`` queries
    with the largest M are active. In causal attention an inactive query gets the sum of the values up to its own place.

    Keys are drawn from torch's default generator while training. While evaluating they are the same ones in every call, so a
    forecast depends on its own window alone.

    Departures: M takes the mean over the drawn keys, of which the authors' code divides by T. The scores that M needs are read
    from one full product Q K' without gradient: gathering keys for each query saves products, but moves more memory, at any
    lookback below D * factor * ln T.

    Args:
        n_queries: Q.
        n_keys: T.
        factor: The c of the paper: how many keys are drawn, and how many queries are active.
        causal: A query sees no key after its own place; needs Q = T.
    """

    evaluation_draw: Tensor

    def __init__(self, n_queries: int, n_keys: int, *, factor: int = 5, causal: bool = False) -> None:
        super().__init__()
        assert not causal or n_queries == n_keys
        self.n_drawn = min(factor * math.ceil(math.log(max(n_keys, 2))), n_keys)
        self.n_active = min(factor * math.ceil(math.log(max(n_queries, 2))), n_queries)
        self.causal = causal
        draw = torch.randint(n_keys, (n_queries, self.n_drawn), generator=torch.Generator().manual_seed(0), device="cpu")
        self.register_buffer("evaluation_draw", draw, persistent=False)

    def draw(self, n_keys: int) -> Int[Tensor, "Q n"]:
        """The keys that measure each query, the same for all windows and heads of a batch."""
        if not self.training:
            return self.evaluation_draw
        return torch.randint_like(self.evaluation_draw, n_keys)

    @torch.no_grad()
    def sparsity(
        self, queries: Float[Tensor, "B N Q D"], keys: Float[Tensor, "B N T D"], drawn: Int[Tensor, "Q n"]
    ) -> Float[Tensor, "B N Q"]:
        """M of each query, times sqrt(D), which leaves the order alone."""
        scores = (queries @ keys.mT).gather(-1, drawn.expand(*queries.shape[:2], *drawn.shape))
        return scores.amax(-1) - scores.mean(-1)

    def forward(
        self, queries: Float[Tensor, "B N Q D"], keys: Float[Tensor, "B N T D"], values: Float[Tensor, "B N T D"]
    ) -> Float[Tensor, "B N Q D"]:
        """One output a query and head."""
        drawn = self.draw(keys.shape[-2])
        active = self.sparsity(queries, keys, drawn).topk(self.n_active, sorted=False).indices.unsqueeze(-1)
        mask = torch.arange(keys.shape[-2], device=keys.device) <= active if self.causal else None
        lazy = values.cumsum(-2) if self.causal else values.mean(-2, keepdim=True)
        rows = active.expand(-1, -1, -1, values.shape[-1])
        attended = F.scaled_dot_product_attention(queries.gather(-2, rows), keys, values, attn_mask=mask)
        return lazy.to(values.dtype).expand_as(queries).scatter(-2, rows, attended)


class MultiHeadAttention(nn.Module):
    """Projects to N heads, attends, and projects back: (B, Q, width) and (B, T, width) to (B, Q, width).

    Args:
        attention: FullAttention or ProbSparseAttention.
        width: Of the inputs and of the output.
        n_heads: N.
        head_width: D, of each head.
        mix: Lay the heads one after the other along time before the last projection, so that each step reads other steps
            (the authors' code of the Informer; not in its paper).
        bias: Of the projections.
        output_bias: Whether those of values and output have one too; a batch norm behind them would cancel it.
    """

    def __init__(
        self,
        attention: nn.Module,
        width: int,
        n_heads: int,
        head_width: int,
        *,
        mix: bool = False,
        bias: bool = True,
        output_bias: bool = True,
    ) -> None:
        super().__init__()
        self.attention = attention
        self.n_heads = n_heads
        self.mix = mix
        self.query, self.key = (nn.Linear(width, n_heads * head_width, bias=bias) for _ in range(2))
        self.value = nn.Linear(width, n_heads * head_width, bias=bias and output_bias)
        self.output = nn.Linear(n_heads * head_width, width, bias=bias and output_bias)

    def forward(
        self, queries: Float[Tensor, "B Q W"], memory: Float[Tensor, "B T W"], *context: Tensor
    ) -> Float[Tensor, "B Q W"]:
        """Attention of ``queries`` to ``memory``; self-attention if they are one. ``attention`` gets ``context`` as it is."""
        projected = (self.query(queries), self.key(memory), self.value(memory))
        heads = self.attention(*(part.unflatten(-1, (self.n_heads, -1)).transpose(1, 2) for part in projected), *context)
        joined = heads if self.mix else heads.transpose(1, 2)
        output: Tensor = self.output(joined.reshape(*queries.shape[:2], -1))
        return output
