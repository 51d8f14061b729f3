"""FEDformer: Autoformer's decompositions around attention between a few randomly chosen Fourier modes.

Zhou, Ma, Wen, Wang, Sun and Jin, "FEDformer: Frequency Enhanced Decomposed Transformer for Long-term Series Forecasting", ICML
2022.
"""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import torch
from jaxtyping import Complex, Float
from torch import Tensor, nn

from datasets.windows.batch import Inputs
from models.base import Forecaster, Use, WindowShape
from models.layers.arguments import at_least, fraction, one_of
from models.layers.decomposed import DecomposedEncoderDecoder
from models.layers.normalisation import WindowNorm


class FEDformer(Forecaster):
    """FEDformer-f, the Fourier version (Zhou et al., ICML 2022).

    - Encoder and decoder are those of Autoformer (section 3.1), see DecomposedEncoderDecoder, but that two moving averages are
      mixed value by value (section 3.4), see Decomposition.
    - A frequency enhanced block, F^-1(Select(F(x W)) R), takes the place of self-attention (section 3.2): see FrequencyBlock.
    - A frequency enhanced attention, F^-1(act(Q K') V) on selected modes Q, K and V, takes the place of the decoder's attention
      to the encoder (section 3.2): see FrequencyAttention.

    Departures from the paper: modes lie in the lower half of the frequencies' indices, as in the authors' code, but go back to
    their own places, where that code moves those of a block to the lowest ones; its attention also has a learned map for each
    mode; transforms keep the energy of a series and scores are divided by sqrt(head_width), so that tanh does not start
    saturated; values are the encoder's values, as in the paper, where the code takes the keys; no layer has a bias, which the
    decompositions would take out. A norm of the window around the network is off by default.

    Args:
        shape: The sizes of a window. K may be 0.
        n_heads: Groups of channels that a block maps by themselves.
        head_width: Width of each. The width of the network is n_heads * head_width: the paper's 512 is 8 * 64.
        n_encoder_layers: Layers of the encoder.
        n_decoder_layers: Layers of the decoder.
        feedforward: Width between the two maps of each feed-forward layer.
        dropout: On embeddings, inside feed-forward layers, on what each block adds.
        n_modes: Frequencies that each block keeps, at most half of the steps.
        selection: Of the frequencies: random, once and for all, or the lowest.
        scores: Of the attention between modes: tanh of real and imaginary part, or softmax of the modulus.
        short_kernel: Steps of one moving average.
        long_kernel: Steps of the other.
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
        n_heads: int = 8,
        head_width: int = 64,
        n_encoder_layers: int = 2,
        n_decoder_layers: int = 1,
        feedforward: int = 2048,
        dropout: float = 0.05,
        n_modes: int = 64,
        selection: Literal["random", "lowest"] = "random",
        scores: Literal["tanh", "softmax"] = "tanh",
        short_kernel: int = 12,
        long_kernel: int = 24,
        activation: Literal["gelu", "relu"] = "gelu",
        start_fraction: float = 0.5,
        norm: Literal["none", "last", "revin"] = "none",
    ) -> None:
        super().__init__(shape)
        at_least(1, n_heads=n_heads, head_width=head_width, feedforward=feedforward, n_modes=n_modes)
        at_least(1, short_kernel=short_kernel, long_kernel=long_kernel)
        at_least(1, n_encoder_layers=n_encoder_layers, n_decoder_layers=n_decoder_layers)
        one_of(("random", "lowest"), selection=selection)
        one_of(("tanh", "softmax"), scores=scores)
        fraction(start_fraction=start_fraction)
        generator = torch.Generator().manual_seed(0) if selection == "random" else None

        def modes(length: int) -> Modes:
            return Modes(length, n_modes, n_heads, generator)

        self.norm = WindowNorm(norm, shape.n_targets)
        self.network = DecomposedEncoderDecoder(
            shape,
            width=n_heads * head_width,
            own=lambda length: FrequencyBlock(modes(length), n_heads, head_width),
            cross=lambda length, memory: FrequencyAttention(modes(length), modes(memory), n_heads, head_width, scores),
            n_encoder_layers=n_encoder_layers,
            n_decoder_layers=n_decoder_layers,
            feedforward=feedforward,
            dropout=dropout,
            activation=activation,
            n_start=round(start_fraction * shape.lookback),
            kernels=(short_kernel, long_kernel),
        )

    def forward(self, inputs: Inputs) -> Float[Tensor, "B H C O"]:
        """The outputs for all steps of the horizon in one pass."""
        past, statistics = self.norm(inputs.past_target, inputs.past_observed)
        return self.norm.restore(self.network(past, inputs), statistics)


class Modes(nn.Module):
    """M of the lower half of a series' frequencies, and the way back, where the others are 0.

    Both ways are one product with a matrix of 2M x T instead of a whole Fourier transform. They keep the energy of a series.

    Args:
        length: T.
        n_modes: M, at most half of the steps.
        n_heads: N.
        generator: Draws the frequencies; without it they are the lowest.
    """

    basis: Tensor
    inverse: Tensor

    def __init__(self, length: int, n_modes: int, n_heads: int, generator: torch.Generator | None) -> None:
        super().__init__()
        n_all = max(length // 2, 1)
        order = torch.arange(n_all) if generator is None else torch.randperm(n_all, generator=generator, device="cpu")
        chosen = order[:n_modes].sort().values
        angles = torch.outer(chosen, torch.arange(length)).remainder(length) * (2 * math.pi / length)
        basis = torch.cat([angles.cos(), -angles.sin()]) / math.sqrt(length)
        twice = torch.where(chosen == 0, 1.0, 2.0).repeat(2)  # but for the mean, each stands for its conjugate too
        self.n_modes, self.n_heads = len(chosen), n_heads
        self.register_buffer("basis", basis)
        self.register_buffer("inverse", (basis * twice.unsqueeze(1)).mT.contiguous())

    def forward(self, steps: Float[Tensor, "B T W"]) -> Complex[Tensor, "B M N D"]:
        """The coefficients of each head."""
        with torch.autocast(steps.device.type, enabled=False):
            parts = (self.basis @ steps.float()).view(len(steps), 2, self.n_modes, self.n_heads, -1)
        return torch.complex(*parts.unbind(1))

    def back(self, modes: Complex[Tensor, "B M N D"]) -> Float[Tensor, "B T W"]:
        """The series of these coefficients."""
        parts = torch.stack([modes.real, modes.imag], 1).view(len(modes), 2 * self.n_modes, -1)
        with torch.autocast(parts.device.type, enabled=False):
            return self.inverse @ parts


class FrequencyBlock(nn.Module):
    """Projects, maps each chosen mode by a complex matrix of its own, and projects back.

    Args:
        modes: Of the series.
        n_heads: N.
        head_width: D, of each head.
    """

    def __init__(self, modes: Modes, n_heads: int, head_width: int) -> None:
        super().__init__()
        width = n_heads * head_width
        self.modes = modes
        self.query, self.output = (nn.Linear(width, width, bias=False) for _ in range(2))
        size = (modes.n_modes, n_heads, head_width, head_width, 2)  # real and imaginary part: optimizers see real numbers
        self.weight = nn.Parameter(torch.randn(size) / math.sqrt(2 * head_width))

    def forward(self, steps: Float[Tensor, "B T W"], memory: Float[Tensor, "B T W"]) -> Float[Tensor, "B T W"]:
        """As many steps as came; ``memory`` is the same series and is not read."""
        mapped = torch.einsum("bmnd,mnde->bmne", self.modes(self.query(steps)), torch.view_as_complex(self.weight))
        outputs: Tensor = self.output(self.modes.back(mapped))
        return outputs


class FrequencyAttention(nn.Module):
    """Attention of the chosen modes of one series to those of another: act(Q K') V on their coefficients.

    Args:
        modes: Of the queries.
        memory_modes: Of keys and values.
        n_heads: N.
        head_width: D, of each head.
        scores: tanh or softmax.
    """

    def __init__(self, modes: Modes, memory_modes: Modes, n_heads: int, head_width: int, scores: str) -> None:
        super().__init__()
        width = n_heads * head_width
        self.modes, self.memory_modes, self.scores = modes, memory_modes, scores
        self.query, self.key, self.value, self.output = (nn.Linear(width, width, bias=False) for _ in range(4))

    def forward(self, steps: Float[Tensor, "B T W"], memory: Float[Tensor, "B S W"]) -> Float[Tensor, "B T W"]:
        """As many steps as ``steps`` has."""
        queries, keys, values = (
            modes(part)
            for modes, part in (
                (self.modes, self.query(steps)),
                (self.memory_modes, self.key(memory)),
                (self.memory_modes, self.value(memory)),
            )
        )
        scores = torch.einsum("bmnd,bknd->bnmk", queries, keys) / math.sqrt(queries.shape[-1])
        if self.scores == "tanh":
            weights = torch.complex(scores.real.tanh(), scores.imag.tanh())
        else:
            weights = scores.abs().softmax(-1).to(scores.dtype)
        outputs: Tensor = self.output(self.modes.back(torch.einsum("bnmk,bknd->bmnd", weights, values)))
        return outputs


MODEL = FEDformer
