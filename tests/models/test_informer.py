from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from models.base import WindowShape
from models.informer import Distilling, Informer
from models.layers.attention import FullAttention
from tests.models.batches import make_batch

SHAPE = WindowShape(lookback=12, horizon=5, n_targets=3, n_known=2)
SMALL: dict[str, Any] = {"n_heads": 2, "head_width": 4, "feedforward": 16}


def informer(shape: WindowShape = SHAPE, **arguments: Any) -> Informer:
    torch.manual_seed(0)
    return Informer(shape, **{**SMALL, **arguments})


def test_the_default_size_is_the_papers() -> None:
    model = Informer(replace(SHAPE, n_targets=7))
    assert model.projection.in_features == 512
    assert len([m for m in model.modules() if isinstance(m, Distilling)]) == 1


@pytest.mark.parametrize(("fraction", "steps"), [(0.0, 0), (0.5, 6), (1.0, 12)])
def test_the_decoder_reads_the_last_known_steps_then_zeros(fraction: float, steps: int) -> None:
    inputs = make_batch(SHAPE).inputs
    values, known = informer(start_fraction=fraction).decoder_input(inputs.past_target, inputs)
    torch.testing.assert_close(values[:, :steps], inputs.past_target[:, 12 - steps :])
    assert torch.equal(values[:, steps:], torch.zeros(4, 5, 3))
    torch.testing.assert_close(known, torch.cat([inputs.past_known[:, 12 - steps :], inputs.future_known], 1))


def test_a_start_token_of_168_of_720_steps_can_be_had() -> None:
    assert informer(replace(SHAPE, lookback=720), start_fraction=168 / 720).n_start == 168


def test_distilling_is_the_librarys_convolution_norm_elu_and_pooling() -> None:
    for steps in (7, 8):
        layer, values = Distilling(4).eval(), torch.randn(2, steps, 4)
        filtered = nn.functional.elu(nn.BatchNorm1d(4).eval()(layer.conv(values).mT))
        expected = nn.functional.max_pool1d(filtered, kernel_size=3, stride=2, padding=1).mT
        torch.testing.assert_close(layer(values), expected)
        assert expected.shape[1] == Distilling.steps(steps)


def test_each_further_stack_is_the_encoder_of_one_layer_less_over_the_later_half_of_the_steps() -> None:
    shape = replace(SHAPE, lookback=13)
    model = informer(shape, n_encoder_layers=3, n_stacks=3, attention="full").eval()
    for weight in model.parameters():
        nn.init.normal_(weight, std=0.5)
    steps, parts = torch.randn(2, 13, 8), []
    for i, length in enumerate((13, 6, 3)):
        alone = informer(replace(shape, lookback=length), n_encoder_layers=3 - i, attention="full").eval()
        encoder = nn.Sequential(*alone.encoder, alone.encoder_norm)
        encoder.load_state_dict(model.encoder[0].encoders[i].state_dict())
        parts.append(encoder(steps[:, 13 - length :]))
    assert [part.shape[1] for part in parts] == [4, 3, 3]
    torch.testing.assert_close(model.encoder_norm(model.encoder[0](steps)), torch.cat(parts, 1))


def test_the_gradient_reaches_every_stack() -> None:
    model = informer(n_encoder_layers=3, n_stacks=3)
    torch.autograd.backward(model(make_batch(SHAPE).inputs).square().mean())
    gradients = {name: weight.grad for name, weight in model.named_parameters()}
    # That of a key's bias is 0 by right: it moves all scores of a query alike.
    assert [name for name, grad in gradients.items() if grad is None or (grad.ndim > 1 and not grad.any())] == []


def test_every_stack_reads_at_least_one_step() -> None:
    shape = replace(SHAPE, lookback=1)
    memory = informer(shape, n_encoder_layers=3, n_stacks=3).encoder[0](torch.randn(2, 1, 8))
    assert memory.shape == (2, 3, 8)


def test_probsparse_with_a_large_factor_is_full_attention() -> None:
    inputs = make_batch(SHAPE).inputs
    sparse, full = informer(factor=99).eval(), informer(attention="full").eval()
    full.load_state_dict(sparse.state_dict())
    torch.testing.assert_close(sparse(inputs), full(inputs))


@pytest.mark.parametrize("field", ["past_target", "past_known", "future_known"])
def test_every_input_matters(field: str) -> None:
    inputs, model = make_batch(SHAPE).inputs, informer().eval()
    changed = replace(inputs, **{field: getattr(inputs, field) + torch.randn_like(getattr(inputs, field))})
    assert not torch.allclose(model(inputs), model(changed))


def test_the_calendar_of_the_last_step_moves_the_last_forecast_alone() -> None:
    inputs, model = make_batch(SHAPE).inputs, informer(mix=False, attention="full").eval()
    future_known = inputs.future_known.clone()
    future_known[:, -1] += 1
    moved = (model(replace(inputs, future_known=future_known)) - model(inputs)).abs() > 1e-6
    assert not moved[:, :-1].any()
    assert moved[:, -1].all()


def test_covariates_of_the_past_matter() -> None:
    shape = replace(SHAPE, n_past_covariates=2)
    inputs, model = make_batch(shape).inputs, informer(shape).eval()
    changed = replace(inputs, past_covariates=inputs.past_covariates + 1)
    assert not torch.allclose(model(inputs), model(changed))


def test_it_runs_without_a_calendar() -> None:
    shape = replace(SHAPE, n_known=0)
    assert informer(shape)(make_batch(shape).inputs).shape == (4, 5, 3, 1)


def test_several_outputs_a_value_are_last() -> None:
    shape = replace(SHAPE, n_outputs=2)
    assert informer(shape, norm="revin")(make_batch(shape).inputs).shape == (4, 5, 3, 2)


@pytest.mark.parametrize("norm", ["last", "revin"])
def test_a_norm_makes_a_shift_of_the_window_a_shift_of_the_forecast(norm: str) -> None:
    inputs, model = make_batch(SHAPE).inputs, informer(norm=norm, attention="full").eval()
    shifted = replace(inputs, past_target=inputs.past_target + 5)
    torch.testing.assert_close(model(shifted), model(inputs) + 5, atol=1e-4, rtol=1e-4)


def test_only_the_decoders_self_attention_mixes_and_looks_not_ahead() -> None:
    model = informer(attention="full", n_decoder_layers=2)
    attentions = {name: m for name, m in model.named_modules() if hasattr(m, "mix")}
    assert {name for name, m in attentions.items() if m.mix} == {"decoder.0.own", "decoder.1.own"}
    causal = {name for name, m in model.named_modules() if isinstance(m, FullAttention) and m.causal}
    assert causal == {"decoder.0.own.attention", "decoder.1.own.attention"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_heads": 0}, "model.n_heads must be 1 or more, got 0"),
        ({"factor": 0}, "model.factor must be 1 or more, got 0"),
        ({"n_stacks": 0}, "model.n_stacks must be 1 or more, got 0"),
        (
            {"n_stacks": 3},
            "model.n_stacks must not exceed n_encoder_layers, got n_stacks=3, n_encoder_layers=2; use 2 or less",
        ),
        ({"dropout": 1.0}, r"model.dropout must lie in \[0, 1\), got 1.0"),
        ({"start_fraction": 1.5}, r"model.start_fraction must lie in \[0, 1\], got 1.5"),
        ({"attention": "local"}, "model.attention must be one of prob, full, got 'local'"),
        ({"activation": "elu"}, "model.activation must be one of gelu, relu, got 'elu'"),
        ({"norm": "batch"}, "model.norm must be one of none, last, revin, got 'batch'"),
    ],
)
def test_an_argument_out_of_range_is_refused_in_one_sentence(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        informer(**arguments)
