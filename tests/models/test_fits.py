from __future__ import annotations

import math

import pytest
import torch

from models.base import WindowShape
from models.fits import FITS
from tests.models.batches import make_batch

pytestmark = pytest.mark.usefixtures("one_thread")
SHAPE = WindowShape(lookback=24, horizon=12, n_targets=2)


def test_the_map_is_complex_and_stretches_the_spectrum() -> None:
    model, inputs = FITS(SHAPE, period=12, order=1, norm="none"), make_batch(SHAPE).inputs
    spectrum = torch.fft.rfft(inputs.past_target.mT)[..., : model.n_kept]
    weight = torch.complex(model.real.weight, model.imaginary.weight)
    stretched = spectrum @ weight.T + torch.complex(model.real.bias, model.imaginary.bias)
    expected = torch.fft.irfft(stretched, n=36)[..., 24:] * 36 / 24
    torch.testing.assert_close(model(inputs)[..., 0], expected.mT)


def test_a_sine_goes_on_where_each_frequency_is_sent_to_its_own() -> None:
    model = FITS(SHAPE, period=12, order=1, norm="none")
    for weight in model.parameters():
        torch.nn.init.zeros_(weight)
    with torch.no_grad():
        model.real.weight[3, 2] = 1.0  # two waves in 24 steps are three in 36
    inputs = make_batch(SHAPE).inputs
    steps = torch.sin(2 * math.pi * torch.arange(36) / 12)
    inputs.past_target[:] = steps[:24, None]
    torch.testing.assert_close(model(inputs)[0, :, 0, 0], steps[24:], atol=1e-5, rtol=1e-5)


def test_higher_frequencies_do_not_move_the_forecast() -> None:
    shape = WindowShape(lookback=48, horizon=12, n_targets=1)
    model, inputs = FITS(shape, period=48, order=1, norm="none"), make_batch(shape).inputs
    before = model(inputs)
    assert model.n_kept == 12
    inputs.past_target[:] += torch.cos(2 * math.pi * 20 * torch.arange(48) / 48)[:, None]
    torch.testing.assert_close(model(inputs), before, atol=1e-5, rtol=1e-5)
