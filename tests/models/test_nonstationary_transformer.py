from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from models.base import WindowShape
from models.layers.attention import FullAttention
from models.nonstationary_transformer import DeStationaryAttention, FactorLearner, NonstationaryTransformer
from models.transformer import Transformer
from tests.models.batches import make_batch

SHAPE = WindowShape(lookback=12, horizon=5, n_targets=3, n_known=2)


def nonstationary(**arguments: Any) -> NonstationaryTransformer:
    torch.manual_seed(0)
    small = {"n_heads": 2, "head_width": 4, "feedforward": 16, "factor_width": 8}
    return NonstationaryTransformer(SHAPE, **{**small, **arguments}).eval()


def without_factors(model: NonstationaryTransformer) -> NonstationaryTransformer:
    for learner in (model.log_tau, model.delta):
        torch.nn.init.zeros_(learner.get_parameter("layers.4.weight"))
    return model


def heads() -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    queries, keys, values = torch.randn(3, 2, 3, 6, 4)
    return queries, keys, values, torch.rand(2, 1, 1, 1) + 0.5, torch.randn(2, 1, 1, 6)


def test_de_stationary_attention_is_equation_6() -> None:
    queries, keys, values, tau, delta = heads()
    outputs = DeStationaryAttention()(queries, keys, values, tau, delta)
    for window in range(2):
        for head in range(3):
            scores = tau[window].squeeze() * queries[window, head] @ keys[window, head].T + delta[window].view(1, 6)
            torch.testing.assert_close(outputs[window, head], (scores / math.sqrt(4)).softmax(-1) @ values[window, head])


def test_causal_attention_is_scaled_by_tau_and_sees_no_delta() -> None:
    queries, keys, values, tau, delta = heads()
    expected = FullAttention(causal=True)(queries * tau, keys, values)
    torch.testing.assert_close(DeStationaryAttention(causal=True)(queries, keys, values, tau, delta), expected)


def test_a_factor_learner_reads_past_and_statistic_of_each_window() -> None:
    learner, past, statistic = FactorLearner(12, 3, 8, 5), torch.randn(2, 12, 3), torch.randn(2, 1, 3)
    weights = learner.past.weight[0]
    for window in range(2):
        features = torch.cat([torch.stack([past[window, :, c] @ weights for c in range(3)]), statistic[window, 0]])
        torch.testing.assert_close(learner(past, statistic)[window].flatten(), learner.layers(features))


def test_without_factors_it_is_the_transformer_under_a_norm_that_learns_nothing() -> None:
    model, inputs = without_factors(nonstationary()), make_batch(SHAPE).inputs
    plain = Transformer(SHAPE, n_heads=2, head_width=4, feedforward=16, norm="revin").eval()
    state = {key.replace("encoder_norm", "encoder.2"): value for key, value in model.state_dict().items()}
    plain.load_state_dict({key: state.get(key, value) for key, value in plain.state_dict().items()})
    torch.testing.assert_close(model(inputs), plain(inputs))


def test_level_and_spread_of_the_past_reach_the_normalised_forecast_through_the_factors_alone() -> None:
    inputs = make_batch(SHAPE).inputs
    moved = replace(inputs, past_target=3 * inputs.past_target + 5)
    model = without_factors(nonstationary())
    torch.testing.assert_close(model(moved), 3 * model(inputs) + 5, atol=1e-4, rtol=1e-4)
    for learner in (model.log_tau, model.delta):
        torch.nn.init.normal_(learner.get_parameter("layers.4.weight"))
        assert not torch.allclose(model(moved), 3 * model(inputs) + 5, atol=1e-3, rtol=1e-3)
        torch.nn.init.zeros_(learner.get_parameter("layers.4.weight"))


def test_a_window_far_out_stays_finite() -> None:
    inputs = make_batch(SHAPE).inputs
    assert nonstationary()(replace(inputs, past_target=1e6 * inputs.past_target)).isfinite().all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"factor_width": 0}, "model.factor_width must be 1 or more, got 0"),
        ({"start_fraction": 2.0}, r"model.start_fraction must lie in \[0, 1\], got 2.0"),
    ],
)
def test_an_argument_out_of_range_is_refused_in_one_sentence(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        nonstationary(**arguments)
