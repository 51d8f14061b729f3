from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from models.autoformer import AutoCorrelation, Autoformer, correlation, delayed
from models.base import WindowShape
from tests.models.batches import make_batch

SHAPE = WindowShape(lookback=12, horizon=5, n_targets=3, n_known=2)


def autoformer(shape: WindowShape = SHAPE, **arguments: Any) -> Autoformer:
    torch.manual_seed(0)
    return Autoformer(shape, **{"head_width": 8, "feedforward": 16, **arguments}).eval()


def by_loops(queries: Tensor, keys: Tensor, values: Tensor, factor: int) -> Tensor:
    """Equations 5 to 7 for series (T, D) of one window and head."""
    length = len(queries)
    correlation = torch.stack([(queries * keys.roll(delay, 0)).mean(-1).sum() for delay in range(length)])
    top = correlation.topk(int(factor * math.log(length)))
    weights = top.values.softmax(0)
    return torch.stack([w * values.roll(-int(d), 0) for w, d in zip(weights, top.indices, strict=True)]).sum(0)


@pytest.mark.parametrize(("factor", "length"), [(1, 11), (3, 12), (2, 30), (1, 131), (1, 132)])
def test_auto_correlation_equals_the_papers_equations_in_loops(factor: int, length: int) -> None:
    queries, keys, values = torch.randn(3, 4, 2, length, 5, generator=torch.Generator().manual_seed(0))
    outputs = AutoCorrelation(factor)(queries, keys, values)
    for window in range(4):
        for head in range(2):
            expected = by_loops(queries[window, head], keys[window, head], values[window, head], factor)
            torch.testing.assert_close(outputs[window, head], expected)


@pytest.mark.parametrize("sum_up", [correlation, delayed])
def test_the_derivatives_are_those_of_the_sums(sum_up: Callable[[Tensor, Tensor], Tensor]) -> None:
    one, other = (torch.randn(2, 2, 5, 3, dtype=torch.float64, requires_grad=True) for _ in range(2))
    inputs = (one, other) if sum_up is correlation else (one, other.detach()[..., 0].requires_grad_())
    assert torch.autograd.gradcheck(sum_up, inputs)


@pytest.mark.parametrize("n_keys", [5, 9])
def test_keys_and_values_are_cut_or_filled_with_zeros_to_the_queries_length(n_keys: int) -> None:
    queries, (keys, values) = torch.randn(1, 1, 7, 4), torch.randn(2, 1, 1, n_keys, 4)
    sized = [torch.cat([part, torch.zeros(1, 1, 7, 4)], 2)[:, :, :7] for part in (keys, values)]
    attention = AutoCorrelation(2)
    torch.testing.assert_close(attention(queries, keys, values), attention(queries, *sized))


def test_a_series_of_period_6_is_aligned_at_its_period() -> None:
    wave = torch.sin(torch.arange(24) * (2 * math.pi / 6)).view(1, 1, 24, 1)
    outputs = AutoCorrelation(1)(10 * wave, 10 * wave, wave)  # 3 delays of 24: three of 0, 6, 12, 18
    torch.testing.assert_close(outputs, wave, atol=1e-5, rtol=1e-5)


def test_auto_correlation_gives_the_dtype_of_the_values() -> None:
    assert AutoCorrelation(1)(*torch.randn(3, 1, 1, 8, 2).bfloat16()).dtype == torch.bfloat16


def test_a_constant_added_to_the_start_tokens_calendar_and_the_horizons_moves_the_trend_alone() -> None:
    inputs, network = make_batch(SHAPE).inputs, autoformer().network
    torch.nn.init.zeros_(network.trends[0].linear.weight)
    shifted = replace(inputs, past_known=inputs.past_known + 3, future_known=inputs.future_known + 3)
    torch.testing.assert_close(network(inputs.past_target, shifted), network(inputs.past_target, inputs), atol=1e-4, rtol=1e-4)


def test_without_a_norm_a_shift_of_the_past_shifts_the_forecast_as_the_trend_starts_at_the_mean() -> None:
    inputs, model = make_batch(SHAPE).inputs, autoformer()
    shifted = replace(inputs, past_target=inputs.past_target + 5)
    torch.testing.assert_close(model(shifted), model(inputs) + 5, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"factor": 0}, "model.factor must be 1 or more, got 0"),
        ({"kernel": 0}, "model.kernel must be 1 or more, got 0"),
        ({"start_fraction": -0.1}, r"model.start_fraction must lie in \[0, 1\], got -0.1"),
    ],
)
def test_an_argument_out_of_range_is_refused_in_one_sentence(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        autoformer(**arguments)
