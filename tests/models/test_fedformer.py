from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from models.base import WindowShape
from models.fedformer import FEDformer, FrequencyAttention, FrequencyBlock, Modes
from tests.models.batches import make_batch

SHAPE = WindowShape(lookback=12, horizon=5, n_targets=3, n_known=2)


def fedformer(**arguments: Any) -> FEDformer:
    return FEDformer(SHAPE, **{"n_heads": 2, "head_width": 4, "feedforward": 16, "n_modes": 3, **arguments}).eval()


def indices(modes: Modes) -> list[int]:
    """Which frequencies were chosen, from the angle of step 1."""
    length = modes.basis.shape[1]
    angles = torch.atan2(-modes.basis[modes.n_modes :, 1], modes.basis[: modes.n_modes, 1])
    return [round(float(angle) / (2 * math.pi / length)) for angle in angles]


def some_modes(length: int) -> Modes:
    return Modes(length, 3, 2, torch.Generator().manual_seed(4))


def spectrum(series: Tensor, modes: Modes) -> Tensor:
    """(B, T, W) to its chosen coefficients (B, M, N, D)."""
    every: Tensor = torch.fft.rfft(series, dim=1, norm="ortho").unflatten(-1, (2, -1))
    return every[:, indices(modes)]


def series_of(coefficients: Tensor, modes: Modes) -> Tensor:
    """The way back: all other frequencies are 0."""
    length = modes.basis.shape[1]
    padded = torch.zeros(len(coefficients), length // 2 + 1, coefficients[0, 0].numel(), dtype=torch.complex64)
    padded[:, indices(modes)] = coefficients.flatten(2)
    series: Tensor = torch.fft.irfft(padded, n=length, dim=1, norm="ortho")
    return series


@pytest.mark.parametrize("length", [7, 12])
def test_modes_are_the_chosen_part_of_the_fourier_transform_and_back(length: int) -> None:
    modes, series = some_modes(length), torch.randn(2, length, 6)
    torch.testing.assert_close(modes(series), spectrum(series, modes))
    torch.testing.assert_close(modes.back(modes(series)), series_of(spectrum(series, modes), modes))


def test_random_modes_lie_in_the_lower_half_differ_between_blocks_and_are_the_same_in_every_model() -> None:
    chosen = [[indices(m) for m in fedformer().modules() if isinstance(m, Modes)] for _ in range(2)]
    assert chosen[0] == chosen[1]
    assert len(set(map(tuple, chosen[0]))) > 1
    assert all(0 <= mode < 6 for modes in chosen[0] for mode in modes)


def test_the_lowest_modes_can_be_had_and_are_at_most_half_of_the_steps() -> None:
    assert next(indices(m) for m in fedformer(selection="lowest").modules() if isinstance(m, Modes)) == [0, 1, 2]
    assert [m.n_modes for m in fedformer(n_modes=64).modules() if isinstance(m, Modes)] == [6, 6, 5, 5, 6]


def test_a_frequency_block_maps_each_mode_of_each_head_by_its_own_matrix() -> None:
    block, series = FrequencyBlock(some_modes(12), 2, 3), torch.randn(2, 12, 6)
    coefficients, weight = spectrum(block.query(series), block.modes), torch.view_as_complex(block.weight.detach())
    mapped = torch.zeros_like(coefficients)
    for mode in range(3):
        for head in range(2):
            mapped[:, mode, head] = coefficients[:, mode, head] @ weight[mode, head]
    torch.testing.assert_close(block(series, series), block.output(series_of(mapped, block.modes)))


@pytest.mark.parametrize("scores", ["tanh", "softmax"])
def test_frequency_attention_is_attention_between_modes(scores: str) -> None:
    attention = FrequencyAttention(some_modes(12), some_modes(10), 2, 3, scores)
    steps, memory = torch.randn(2, 12, 6), torch.randn(2, 10, 6)
    queries = spectrum(attention.query(steps), attention.modes)
    keys, values = (spectrum(part(memory), attention.memory_modes) for part in (attention.key, attention.value))
    attended = torch.zeros_like(queries)
    for head in range(2):
        products = queries[:, :, head] @ keys[:, :, head].mT / math.sqrt(3)
        tanh = torch.complex(products.real.tanh(), products.imag.tanh())
        weights = tanh if scores == "tanh" else products.abs().softmax(-1) + 0j
        attended[:, :, head] = weights @ values[:, :, head]
    torch.testing.assert_close(attention(steps, memory), attention.output(series_of(attended, attention.modes)))


def test_every_decomposition_mixes_two_averages() -> None:
    model = fedformer()
    slopes = [key for key, _ in model.named_parameters() if key.endswith("slope")]
    assert len(slopes) == 1 + 2 * 2 + 3
    model(make_batch(SHAPE).inputs).square().sum().backward()
    assert model.get_parameter(slopes[0]).grad is not None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_modes": 0}, "model.n_modes must be 1 or more, got 0"),
        ({"long_kernel": 0}, "model.long_kernel must be 1 or more, got 0"),
        ({"selection": "best"}, "model.selection must be one of random, lowest, got 'best'"),
        ({"scores": "relu"}, "model.scores must be one of tanh, softmax, got 'relu'"),
    ],
)
def test_an_argument_out_of_range_is_refused_in_one_sentence(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fedformer(**arguments)
