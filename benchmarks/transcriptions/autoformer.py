"""Autoformer (Wu et al., NeurIPS 2021)."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.transcriptions.parts import Embedding, FeedForward, MultiHead
from datasets.windows.batch import Inputs
from models.base import WindowShape


class Autoformer(nn.Module):
    """Seasonal parts through encoder and decoder, trends beside them (section 3.1)."""

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
        kernel: int,
    ) -> None:
        super().__init__()
        width = n_heads * head_width
        self.horizon, self.n_start, self.kernel = shape.horizon, shape.lookback // 2, kernel

        def embed() -> Embedding:
            return Embedding(shape.n_targets, shape.n_known, 0, width, dropout, positions=False)

        sizes = (width, n_heads, feedforward, factor, kernel, dropout)
        self.encoder_embedding = embed()
        self.encoder = nn.Sequential(*(EncoderLayer(*sizes) for _ in range(n_encoder_layers)), SeasonalNorm(width))
        self.decoder_embedding = embed()
        self.decoder = nn.ModuleList(DecoderLayer(*sizes, shape.n_targets) for _ in range(n_decoder_layers))
        self.decoder_norm = SeasonalNorm(width)
        self.seasonal = nn.Linear(width, shape.n_targets)

    def forward(self, inputs: Inputs) -> Tensor:
        """(B, H, C)."""
        past = inputs.past_target
        memory = self.encoder(self.encoder_embedding(past, inputs.past_known))
        seasonal, trend = decompose(past, self.kernel)
        zeros = torch.zeros(len(past), self.horizon, past.shape[2])
        mean = past.mean(1, keepdim=True).repeat(1, self.horizon, 1)
        trend = torch.cat([trend[:, -self.n_start :], mean], 1)
        known = torch.cat([inputs.past_known[:, -self.n_start :], inputs.future_known], 1)
        steps = self.decoder_embedding(torch.cat([seasonal[:, -self.n_start :], zeros], 1), known)
        for layer in self.decoder:
            steps, more = layer(steps, memory)
            trend = trend + more
        return (self.seasonal(self.decoder_norm(steps)) + trend)[:, -self.horizon :]


def decompose(steps: Tensor, kernel: int) -> tuple[Tensor, Tensor]:
    """AvgPool(Padding(x)) is the trend, the rest is seasonal (equation 1)."""
    first, last = steps[:, :1].repeat(1, (kernel - 1) // 2, 1), steps[:, -1:].repeat(1, kernel // 2, 1)
    trend = F.avg_pool1d(torch.cat([first, steps, last], 1).transpose(1, 2), kernel, stride=1).transpose(1, 2)
    return steps - trend, trend


class EncoderLayer(nn.Module):
    """Equation 3."""

    def __init__(self, width: int, n_heads: int, feedforward: int, factor: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.attention = MultiHead(AutoCorrelation(factor), width, n_heads, bias=False)
        self.feed = FeedForward(width, feedforward, dropout, bias=False)
        self.kernel, self.dropout = kernel, nn.Dropout(dropout)

    def forward(self, steps: Tensor) -> Tensor:
        steps, _ = decompose(steps + self.dropout(self.attention(steps, steps)), self.kernel)
        steps, _ = decompose(steps + self.dropout(self.feed(steps)), self.kernel)
        return steps


class DecoderLayer(nn.Module):
    """Equation 4."""

    def __init__(
        self, width: int, n_heads: int, feedforward: int, factor: int, kernel: int, dropout: float, n_targets: int
    ) -> None:
        super().__init__()
        self.own = MultiHead(AutoCorrelation(factor), width, n_heads, bias=False)
        self.cross = MultiHead(AutoCorrelation(factor), width, n_heads, bias=False)
        self.feed = FeedForward(width, feedforward, dropout, bias=False)
        self.trend = nn.Conv1d(width, n_targets, 3, padding=1, padding_mode="circular", bias=False)
        self.kernel, self.dropout = kernel, nn.Dropout(dropout)

    def forward(self, steps: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        steps, first = decompose(steps + self.dropout(self.own(steps, steps)), self.kernel)
        steps, second = decompose(steps + self.dropout(self.cross(steps, memory)), self.kernel)
        steps, third = decompose(steps + self.dropout(self.feed(steps)), self.kernel)
        return steps, self.trend((first + second + third).transpose(1, 2)).transpose(1, 2)


class AutoCorrelation(nn.Module):
    """The k delays of the largest correlation (equation 8) weigh copies of the values, rolled by them (equation 6)."""

    def __init__(self, factor: int) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        length = queries.shape[1]
        if length > keys.shape[1]:
            zeros = torch.zeros_like(queries[:, keys.shape[1] :])
            keys, values = torch.cat([keys, zeros], 1), torch.cat([values, zeros], 1)
        queries, keys, values = (part[:, :length].permute(0, 2, 3, 1) for part in (queries, keys, values))  # (B, N, D, T)
        spectrum = torch.fft.rfft(queries.contiguous()) * torch.fft.rfft(keys.contiguous()).conj()
        correlation = torch.fft.irfft(spectrum, n=length).mean(2)  # (B, N, T)
        k = int(self.factor * math.log(length))
        values = values.contiguous()
        outputs = torch.zeros_like(values)
        if self.training:  # one set of delays for a batch
            delays = correlation.mean((0, 1)).topk(k).indices
            weights = correlation[:, :, delays].softmax(-1)
            for i, delay in enumerate(delays.tolist()):
                outputs = outputs + values.roll(-delay, -1) * weights[:, :, None, i, None]
        else:
            top = correlation.topk(k)
            weights, places = top.values.softmax(-1), torch.arange(length)
            for i in range(k):
                sources = (places + top.indices[:, :, None, i, None]) % length
                outputs = outputs + values.gather(-1, sources.expand_as(values)) * weights[:, :, None, i, None]
        return outputs.permute(0, 3, 1, 2)


class SeasonalNorm(nn.Module):
    """Layer norm less its mean over time."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)

    def forward(self, steps: Tensor) -> Tensor:
        normed = self.norm(steps)
        return normed - normed.mean(1, keepdim=True)


MODEL = Autoformer
