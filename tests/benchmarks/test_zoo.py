"""What the models are timed against computes the same."""

from __future__ import annotations

import importlib
import re

import pytest
import torch
from torch import Tensor, nn

import models
from benchmarks.zoo import SIZES, Stepper
from models.base import Forecaster, WindowShape
from tests.models.batches import make_batch

pytestmark = pytest.mark.usefixtures("one_thread")
SHAPE = WindowShape(lookback=16, horizon=8, n_targets=3, n_known=2)
"""All periods of its 24 steps divide them: no grid of TimesNet is padded, which the two models treat differently."""


def both(name: str) -> tuple[Forecaster, nn.Module]:
    """Our model and its transcription with the same weights; biases that only the transcription has are 0."""
    other = {"dropout": 0.0, "n_decoder_layers": 2}
    sizes = SIZES[name] | {size: value for size, value in other.items() if size in SIZES[name]}
    ours = models.get(name)(SHAPE, **sizes)
    plain: nn.Module = importlib.import_module(f"benchmarks.transcriptions.{name}").MODEL(SHAPE, **sizes)
    weights = {plain_name(key): weight for key, weight in ours.named_parameters()}
    for key, weight in plain.named_parameters():
        shared = re.sub(r"kernels\.\d\.bias", "bias", key)  # of an inception block: ours has their mean
        if shared in weights:
            weight.data.copy_(like(weight, weights[shared]))
        else:
            assert key.endswith("bias")
            nn.init.zeros_(weight)
    return ours, plain


def plain_name(key: str) -> str:
    """Where the transcription has a weight of ours."""
    key = re.sub(r"^embedding\.(?=(values|known)\.[wb])", "", key)  # iTransformer's channels
    key = re.sub(r"^network\.", "", key).replace("linear.", "")
    key = re.sub(r"^trends\.(\d)", r"decoder.\1.trend", key)
    return re.sub(r"(kernels\.\d)", r"\1.weight", key)


def like(weight: Tensor, ours: Tensor) -> Tensor:
    """Our weight in the layout of the library's layer."""
    if weight.ndim == 3:
        return ours.view(len(ours), 3, -1).mT
    return ours.permute(3, 1, 0, 2) if weight.ndim == 4 else ours.view_as(weight)


@pytest.mark.parametrize("name", SIZES)
def test_a_transcription_gives_the_outputs_of_our_model_while_training(name: str) -> None:
    # One window: delays and periods of a batch are its own. From one seed ProbSparse draws the same keys.
    (ours, plain), inputs = both(name), make_batch(SHAPE, n_windows=1).inputs
    outputs = []
    for model in (ours, plain):
        torch.manual_seed(1)
        outputs.append(model(inputs).view(1, 8, 3))
    torch.testing.assert_close(*outputs, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", sorted({*SIZES} - {"informer", "timesnet"}))
def test_a_transcription_gives_the_outputs_of_our_model_while_evaluating(name: str) -> None:
    (ours, plain), inputs = both(name), make_batch(SHAPE).inputs
    torch.testing.assert_close(plain.eval()(inputs), ours.eval()(inputs).squeeze(-1), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("name", SIZES)
def test_a_transcription_has_as_many_parameters_as_our_model_within_two_per_cent(name: str) -> None:
    counts = [sum(weight.numel() for weight in model.parameters()) for model in both(name)]
    assert counts[1] == pytest.approx(counts[0], rel=0.02)


def test_a_process_of_its_own_steps_when_asked() -> None:
    stepper = Stepper("plain", "dlinear")
    assert stepper.turn() > 0
    stepper.close()
