"""Attention and what surrounds it (Vaswani et al., NeurIPS 2017), plainly."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn


class Embedding(nn.Module):
    """Values by a circular convolution, calendar features by a linear map, places by waves: (B, T, n) to (B, T, D)."""

    def __init__(self, n_values: int, n_known: int, length: int, width: int, dropout: float, *, positions: bool = True) -> None:
        super().__init__()
        self.values = nn.Conv1d(n_values, width, 3, padding=1, padding_mode="circular")
        self.known = nn.Linear(n_known, width) if n_known else None
        places = torch.zeros(length, width)
        if positions:
            angles = torch.arange(length).unsqueeze(1) / 10000 ** (torch.arange(0, width, 2) / width)
            places[:, 0::2], places[:, 1::2] = angles.sin(), angles.cos()
        self.register_buffer("places", places if positions else None, persistent=False)
        self.dropout = nn.Dropout(dropout)

    def forward(self, values: Tensor, known: Tensor) -> Tensor:
        steps = self.values(values.transpose(1, 2)).transpose(1, 2)
        if self.places is not None:
            steps = steps + self.places
        if self.known is not None:
            steps = steps + self.known(known)
        return self.dropout(steps)


def attention(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    """softmax(Q K' / sqrt(D)) V of (B, T, N, D), equation 1."""
    scores = torch.einsum("bqnd,bknd->bnqk", queries, keys) / math.sqrt(queries.shape[-1])
    return torch.einsum("bnqk,bknd->bqnd", scores.softmax(-1), values)


class MultiHead(nn.Module):
    """Projects to N heads, attends, projects back (section 3.2.2)."""

    def __init__(
        self, attend: Callable[..., Tensor], width: int, n_heads: int, *, mix: bool = False, bias: bool = True
    ) -> None:
        super().__init__()
        self.attention, self.n_heads, self.mix = attend, n_heads, mix
        self.query, self.key, self.value, self.output = (nn.Linear(width, width, bias=bias) for _ in range(4))

    def forward(self, steps: Tensor, memory: Tensor) -> Tensor:
        n_windows, length, width = steps.shape
        queries = self.query(steps).view(n_windows, length, self.n_heads, -1)
        keys = self.key(memory).view(n_windows, memory.shape[1], self.n_heads, -1)
        values = self.value(memory).view(n_windows, memory.shape[1], self.n_heads, -1)
        heads = self.attention(queries, keys, values)
        if self.mix:
            heads = heads.transpose(1, 2)
        return self.output(heads.reshape(n_windows, length, width))


class FeedForward(nn.Module):
    """Two maps with GELU between (section 3.3)."""

    def __init__(self, width: int, hidden: int, dropout: float, *, bias: bool = True) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(width, hidden, bias=bias), nn.Linear(hidden, width, bias=bias)
        self.activation, self.dropout = nn.GELU(), nn.Dropout(dropout)

    def forward(self, steps: Tensor) -> Tensor:
        return self.outer(self.dropout(self.activation(self.inner(steps))))


class EncoderLayer(nn.Module):
    """Self-attention and feed-forward, each added and normed (section 3.1)."""

    def __init__(self, attend: nn.Module, feed: nn.Module, norms: list[nn.Module], dropout: float) -> None:
        super().__init__()
        self.attention, self.feed, self.norms, self.dropout = attend, feed, nn.ModuleList(norms), nn.Dropout(dropout)

    def forward(self, steps: Tensor) -> Tensor:
        steps = self.norms[0](steps + self.dropout(self.attention(steps, steps)))
        return self.norms[1](steps + self.dropout(self.feed(steps)))


def standardise(past: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Each channel of a window at mean 0 and deviation 1; its mean and deviation."""
    mean = past.mean(1, keepdim=True)
    deviation = (past.var(1, keepdim=True, unbiased=False) + 1e-5).sqrt()
    return (past - mean) / deviation, mean, deviation
