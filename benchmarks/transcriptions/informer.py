"""Informer (Zhou et al., AAAI 2021)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.transcriptions.parts import Embedding, EncoderLayer, FeedForward, MultiHead, attention
from datasets.windows.batch import Inputs
from models.base import WindowShape


class Informer(nn.Module):
    """Encoder with distilling, and a decoder that forecasts in one pass (section 3)."""

    def __init__(
        self,
        shape: WindowShape,
        *,
        n_heads: int,
        head_width: int,
        n_encoder_layers: int,
        n_decoder_layers: int,
        feedforward: int,
        dropout: float,
        factor: int,
    ) -> None:
        super().__init__()
        width = n_heads * head_width
        self.horizon, self.n_start = shape.horizon, shape.lookback // 2
        self.encoder_embedding = Embedding(shape.n_targets, shape.n_known, shape.lookback, width, dropout)
        self.encoder = nn.Sequential()
        for layer in range(n_encoder_layers):
            if layer:
                self.encoder.append(Distilling(width))
            attend = MultiHead(ProbSparse(factor), width, n_heads)
            feed = FeedForward(width, feedforward, dropout)
            self.encoder.append(EncoderLayer(attend, feed, [nn.LayerNorm(width) for _ in range(2)], dropout))
        self.encoder_norm = nn.LayerNorm(width)
        length = self.n_start + shape.horizon
        self.decoder_embedding = Embedding(shape.n_targets, shape.n_known, length, width, dropout)
        self.decoder = nn.ModuleList(
            DecoderLayer(width, n_heads, feedforward, factor, dropout) for _ in range(n_decoder_layers)
        )
        self.decoder_norm = nn.LayerNorm(width)
        self.projection = nn.Linear(width, shape.n_targets)

    def forward(self, inputs: Inputs) -> Tensor:
        """(B, H, C)."""
        past = inputs.past_target
        memory = self.encoder_norm(self.encoder(self.encoder_embedding(past, inputs.past_known)))
        zeros = torch.zeros(len(past), self.horizon, past.shape[2])
        start = torch.cat([past[:, -self.n_start :], zeros], 1)
        known = torch.cat([inputs.past_known[:, -self.n_start :], inputs.future_known], 1)
        steps = self.decoder_embedding(start, known)
        for layer in self.decoder:
            steps = layer(steps, memory)
        return self.projection(self.decoder_norm(steps))[:, -self.horizon :]


class DecoderLayer(nn.Module):
    """Masked ProbSparse self-attention, full attention to the encoder's output, feed-forward."""

    def __init__(self, width: int, n_heads: int, feedforward: int, factor: int, dropout: float) -> None:
        super().__init__()
        self.own = MultiHead(ProbSparse(factor, causal=True), width, n_heads, mix=True)
        self.cross = MultiHead(attention, width, n_heads)
        self.feed = FeedForward(width, feedforward, dropout)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.dropout = nn.Dropout(dropout)

    def forward(self, steps: Tensor, memory: Tensor) -> Tensor:
        steps = self.norms[0](steps + self.dropout(self.own(steps, steps)))
        steps = self.norms[1](steps + self.dropout(self.cross(steps, memory)))
        return self.norms[2](steps + self.dropout(self.feed(steps)))


class ProbSparse(nn.Module):
    """Algorithm 1: drawn keys measure the queries; the u that differ most attend, the others get the mean of the values."""

    def __init__(self, factor: int, *, causal: bool = False) -> None:
        super().__init__()
        self.factor, self.causal = factor, causal

    def forward(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        queries, keys, values = (part.transpose(1, 2) for part in (queries, keys, values))  # (B, N, T, D)
        n_queries, n_keys, width = queries.shape[2], keys.shape[2], queries.shape[3]
        n_drawn = min(self.factor * math.ceil(math.log(n_keys)), n_keys)
        n_active = min(self.factor * math.ceil(math.log(n_queries)), n_queries)
        drawn = torch.randint(n_keys, (n_queries, n_drawn))
        measured = torch.einsum("bnqd,bnqud->bnqu", queries, keys[:, :, drawn])
        sparsity = measured.max(-1).values - measured.mean(-1)
        active = sparsity.topk(n_active).indices
        windows, heads = torch.arange(len(queries))[:, None, None], torch.arange(queries.shape[1])[None, :, None]
        scores = torch.einsum("bnud,bnkd->bnuk", queries[windows, heads, active], keys) / math.sqrt(width)
        if self.causal:
            later = torch.ones(n_queries, n_keys, dtype=torch.bool).triu(1)
            scores = scores.masked_fill(later[active], -torch.inf)
            outputs = values.cumsum(2)
        else:
            outputs = values.mean(2, keepdim=True).repeat(1, 1, n_queries, 1)
        outputs = outputs.index_put((windows, heads, active), scores.softmax(-1) @ values)
        return outputs.transpose(1, 2)


class Distilling(nn.Module):
    """MaxPool(ELU(Conv1d(x))) with a batch norm behind the convolution (equation 5)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(width, width, 3, padding=1, padding_mode="circular")
        self.norm = nn.BatchNorm1d(width)

    def forward(self, steps: Tensor) -> Tensor:
        return F.max_pool1d(F.elu(self.norm(self.conv(steps.transpose(1, 2)))), 3, stride=2, padding=1).transpose(1, 2)


MODEL = Informer
