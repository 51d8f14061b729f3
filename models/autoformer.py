"""Autoformer: an encoder-decoder that decomposes series as it goes, with attention to delays in place of steps.

Wu, Xu, Wang and Long, "Autoformer: Decomposition Transformers with Auto-Correlation for Long-Term Series Forecasting", NeurIPS
2021.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, ClassVar, Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from datasets.windows.batch import Inputs
from models.base import Forecaster, Use, WindowShape
from models.layers.arguments import at_least, fraction
from models.layers.attention import MultiHeadAttention
from models.layers.decomposed import DecomposedEncoderDecoder
from models.layers.normalisation import WindowNorm

_SHORT = 128


class Autoformer(Forecaster):
    """Autoformer (Wu et al., NeurIPS 2021).

    - A moving average splits every intermediate series into trend and seasonal part (equation 1). The seasonal part goes
      through encoder (equation 3) and decoder (equation 4), whose layers add their trends to that of the horizon; its start
      is the mean of the observed past (equation 2). See DecomposedEncoderDecoder.
    - Auto-Correlation (equations 5 to 7) takes the place of attention: see AutoCorrelation.

    Departures from the paper, all but the last two as in the authors' code: all channels share their delays (one head; with
    n_heads=8, head_width=64 each head has delays of its own, as in the paper); a last layer norm without a mean over time; the
    trends of a layer share one map to the targets. Delays are chosen for each window, in training too, where the authors' code
    averages correlations over the batch. A norm of the window around the network is off by default.

    Args:
        shape: The sizes of a window. K may be 0.
        n_heads: Groups of channels with delays of their own.
        head_width: Width of each. The width of the network is n_heads * head_width, 512 in the paper.
        n_encoder_layers: Layers of the encoder.
        n_decoder_layers: Layers of the decoder.
        feedforward: Width between the two maps of each feed-forward layer.
        dropout: On embeddings, inside feed-forward layers, on what each block adds.
        factor: The c of the paper, 1 to 3: int(factor * ln(steps)) delays are chosen.
        kernel: Steps of the moving averages.
        activation: Of the feed-forward layers: gelu or relu.
        start_fraction: Known steps that the decoder reads, as a fraction of the lookback, in [0, 1].
        norm: Level and spread of the observed past, which the network does not see: none, last (value), revin (see WindowNorm).

    Raises:
        ValueError: an argument is out of its range.
    """

    uses: ClassVar[frozenset[Use]] = frozenset({"covariates", "known", "observed"})

    def __init__(
        self,
        shape: WindowShape,
        *,
        n_heads: int = 1,
        head_width: int = 512,
        n_encoder_layers: int = 2,
        n_decoder_layers: int = 1,
        feedforward: int = 2048,
        dropout: float = 0.05,
        factor: int = 3,
        kernel: int = 25,
        activation: Literal["gelu", "relu"] = "gelu",
        start_fraction: float = 0.5,
        norm: Literal["none", "last", "revin"] = "none",
    ) -> None:
        super().__init__(shape)
        at_least(1, n_heads=n_heads, head_width=head_width, feedforward=feedforward, factor=factor, kernel=kernel)
        at_least(1, n_encoder_layers=n_encoder_layers, n_decoder_layers=n_decoder_layers)
        fraction(start_fraction=start_fraction)
        width = n_heads * head_width

        def attend(*_: int) -> MultiHeadAttention:
            return MultiHeadAttention(AutoCorrelation(factor), width, n_heads, head_width, bias=False)

        self.norm = WindowNorm(norm, shape.n_targets)
        self.network = DecomposedEncoderDecoder(
            shape,
            width=width,
            own=attend,
            cross=attend,
            n_encoder_layers=n_encoder_layers,
            n_decoder_layers=n_decoder_layers,
            feedforward=feedforward,
            dropout=dropout,
            activation=activation,
            n_start=round(start_fraction * shape.lookback),
            kernels=(kernel,),
        )

    def forward(self, inputs: Inputs) -> Float[Tensor, "B H C O"]:
        """The outputs for all steps of the horizon in one pass."""
        past, statistics = self.norm(inputs.past_target, inputs.past_observed)
        return self.norm.restore(self.network(past, inputs), statistics)


class AutoCorrelation(nn.Module):
    """Adds up the values at the delays at which queries and keys correlate most.

    R(tau) is the correlation of queries at t with keys at t - tau, a mean over channels. The k = int(factor * ln T) delays with
    the largest R weigh softmax(R), and the output at t is the weighted sum of the values at t + tau (equation 6); series wrap
    around. Keys and values are cut or filled with zeros to T steps.

    Both sums are correlations, which come from Fourier transforms (equation 8). Up to 128 steps they come from two products of
    matrices instead: on a CPU those take about .6 of the time at 96 steps of width 64, .9 at 128, less than half at width 512.

    Args:
        factor: The c of the paper.
    """

    def __init__(self, factor: int) -> None:
        super().__init__()
        self.factor = factor

    def forward(
        self, queries: Float[Tensor, "B N T D"], keys: Float[Tensor, "B N S D"], values: Float[Tensor, "B N S D"]
    ) -> Float[Tensor, "B N T D"]:
        """One output a step and head."""
        length = queries.shape[-2]
        keys, values = (F.pad(part, (0, 0, 0, length - part.shape[-2])) for part in (keys, values))
        correlate, delay = (correlation, delayed) if length <= _SHORT else (fourier_correlation, fourier_delayed)
        with torch.autocast(queries.device.type, enabled=False):
            found = correlate(queries.float(), keys.float())
            top = found.topk(min(max(int(self.factor * math.log(length)), 1), length), sorted=False)
            weights = torch.zeros_like(found).scatter(-1, top.indices, top.values.softmax(-1))
            return delay(values.float(), weights).to(values.dtype)


def correlation(queries: Float[Tensor, "B N T D"], keys: Float[Tensor, "B N T D"]) -> Float[Tensor, "B N T"]:
    """R of each delay: sums along the diagonals of K Q', which wrap around."""
    return _diagonal_sums(keys @ queries.mT) / queries.shape[-1]


def delayed(values: Float[Tensor, "B N T D"], weights: Float[Tensor, "B N T"]) -> Float[Tensor, "B N T D"]:
    """At t the sum over delays of weight times the value at t + delay: a product with the weights on wrapped diagonals."""
    return _circulant(weights) @ values


class _DiagonalSums(torch.autograd.Function):
    """(..., T, T) to (..., T): at tau the sum over t of what is at (t, t + tau), where places wrap around.

    The two functions are each other's backward pass. Autograd would come to it by filling and copying matrices of 2 T x T.
    """

    @staticmethod
    def forward(ctx: Any, matrix: Tensor) -> Tensor:
        length = matrix.shape[-1]
        twice = torch.cat([matrix, matrix], -1).reshape(-1, 2 * length**2)
        # A row is 2 T long: a step of 2 T + 1 goes down by one row and right by one place.
        diagonals = twice.as_strided((len(twice), length, length), (2 * length**2, 2 * length + 1, 1))
        return diagonals.sum(1).view(matrix.shape[:-1])

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return _circulant(gradient)


class _Circulant(torch.autograd.Function):
    """(..., T) to (..., T, T): the one at s - t goes to (t, s), where places wrap around."""

    @staticmethod
    def forward(ctx: Any, diagonals: Tensor) -> Tensor:
        rows = torch.cat([diagonals, diagonals], -1)[..., 1:].unfold(-1, diagonals.shape[-1], 1)
        return rows.flip(-2)  # a step further in each row, from below

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return _diagonal_sums(gradient)


_diagonal_sums: Callable[[Tensor], Tensor] = _DiagonalSums.apply
_circulant: Callable[[Tensor], Tensor] = _Circulant.apply


def fourier_correlation(queries: Float[Tensor, "B N T D"], keys: Float[Tensor, "B N T D"]) -> Float[Tensor, "B N T"]:
    """The same as ``correlation`` in T log T steps."""
    length, width = queries.shape[-2:]
    spectra = torch.fft.rfft(torch.cat([queries, keys], -1), dim=-2).split(width, -1)
    outputs: Tensor = torch.fft.irfft(torch.linalg.vecdot(spectra[1], spectra[0]) / width, n=length)
    return outputs


def fourier_delayed(values: Float[Tensor, "B N T D"], weights: Float[Tensor, "B N T"]) -> Float[Tensor, "B N T D"]:
    """The same as ``delayed`` in T log T steps."""
    spectrum = torch.fft.rfft(weights).conj().unsqueeze(-1) * torch.fft.rfft(values, dim=-2)
    outputs: Tensor = torch.fft.irfft(spectrum, n=weights.shape[-1], dim=-2)
    return outputs


MODEL = Autoformer
