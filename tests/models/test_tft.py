from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.base import Explanation, WindowShape
from models.tft import TFT, GatedResidual, InterpretableAttention, Selection
from tests.models.batches import make_batch

SHAPE = WindowShape(lookback=6, horizon=4, n_targets=2, n_past_covariates=1, n_known=3, n_static=2, cardinalities=(3, 2))
BARE = WindowShape(lookback=6, horizon=4, n_targets=2)


def tft(shape: WindowShape = SHAPE, **arguments: Any) -> TFT:
    torch.manual_seed(0)
    return TFT(shape, **{"width": 8, "n_heads": 2, **arguments}).eval()


def explanation(model: TFT, seed: int = 0) -> Explanation:
    return model.explain(make_batch(model.shape, seed=seed).inputs)


def linear(layer: nn.Module, i: int, values: Tensor) -> Tensor:
    """The map of variable i, written out."""
    return values @ layer.weight[i] + layer.bias[i, 0]


def test_the_default_size_is_that_of_the_papers_electricity() -> None:
    model = TFT(SHAPE)
    assert (model.projection.in_features, model.attention.n_heads, model.attention.value.out_features) == (160, 4, 40)


def test_the_residual_network_is_equations_2_to_5() -> None:
    network, values, context = GatedResidual(3, 5, 4, 0.0, context=True), torch.randn(2, 7, 3), torch.randn(2, 1, 5)
    assert network.context is not None
    hidden = F.elu(network.inner(values) + context @ network.context.weight.T)
    opened, shown = network.gate.linear(network.outer(hidden)).chunk(2, -1)
    expected = network.gate.norm(network.skip(values) + opened * shown.sigmoid())
    torch.testing.assert_close(network(values, context), expected)


def test_variables_are_chosen_as_by_a_loop_over_them() -> None:
    selection, variables = Selection(3, 4, 0.0, context=True).eval(), torch.randn(2, 5, 3, 4)
    context, networks = torch.randn(2, 1, 4), selection.variables
    nn.init.normal_(networks.gate.norm.weight)
    assert selection.weights is not None
    weights = selection.weights(variables.flatten(-2), context).softmax(-1)
    expected = torch.zeros(2, 5, 4)
    for i in range(3):
        one = variables[..., i, :]
        hidden = linear(networks.outer, i, F.elu(linear(networks.inner, i, one)))
        normed = F.layer_norm(one + F.glu(linear(networks.gate.linear, i, hidden), -1), (4,))
        norm = networks.gate.norm
        expected = expected + weights[..., i, None] * (normed * norm.weight[i, 0] + norm.bias[i, 0])
    chosen, found = selection(variables, context)
    torch.testing.assert_close(chosen, expected)
    torch.testing.assert_close(found, weights)


def test_attention_is_the_mean_of_the_heads_weights_times_the_shared_values() -> None:
    attention, steps = InterpretableAttention(6, 4, 8, 2), torch.randn(3, 10, 8)
    weights = attention.weights(steps)
    torch.testing.assert_close(attention(steps), attention.output(weights @ attention.value(steps)))


def test_with_one_head_attention_is_the_librarys() -> None:
    attention, steps = InterpretableAttention(6, 4, 8, 1), torch.randn(3, 10, 8)
    library = nn.MultiheadAttention(8, 1, batch_first=True)
    parts = (attention.query, attention.key, attention.value)
    with torch.no_grad():
        library.in_proj_weight.copy_(torch.cat([part.weight for part in parts]))
        library.in_proj_bias.copy_(torch.cat([part.bias for part in parts]))
    library.out_proj.load_state_dict(attention.output.state_dict())
    expected, weights = library(steps, steps, steps, attn_mask=torch.ones(10, 10, dtype=torch.bool).triu(1))
    torch.testing.assert_close(attention(steps), expected[:, 6:])
    torch.testing.assert_close(attention.weights(steps), weights[:, 6:])


def test_all_weights_are_shares_and_no_step_attends_to_a_later_one() -> None:
    found = explanation(tft())
    assert [tuple(part.shape) for part in vars(found).values()] == [(4, 4), (4, 6, 6), (4, 4, 3), (4, 4, 10)]
    for part in vars(found).values():
        assert (part >= 0).all()
        torch.testing.assert_close(part.sum(-1), torch.ones(part.shape[:-1]))
    assert torch.equal(found.attention > 0, torch.ones(4, 4, 10, dtype=torch.bool).tril(6))


def test_a_forecast_does_not_read_the_calendar_of_later_steps() -> None:
    inputs, model = make_batch(SHAPE).inputs, tft()
    known = inputs.future_known.clone()
    known[:, 2] += 1
    moved = (model(replace(inputs, future_known=known)) - model(inputs)).abs().amax((0, 2, 3)) > 1e-6
    assert moved.tolist() == [False, False, True, True]


@pytest.mark.parametrize("part", ["past", "future", "attention"])
def test_static_variables_move_every_choice(part: str) -> None:
    inputs, model = make_batch(SHAPE).inputs, tft()
    other = model.explain(replace(inputs, static=inputs.static + 1))
    assert not torch.allclose(getattr(model.explain(inputs), part), getattr(other, part))


def test_the_table_of_categories_is_one_table_for_each() -> None:
    model = tft()
    assert model.static_categories is not None
    vectors = model.static_categories(torch.tensor([[2, 1]]))
    assert torch.equal(vectors[0], model.static_categories.table.weight[[2, 3 + 1]])


def test_a_class_that_is_absent_has_no_parameters_and_no_weights() -> None:
    model = tft(BARE)
    parts = {name.partition(".")[0] for name, _ in model.named_parameters()}
    assert not parts & {"known", "future", "static", "static_values", "static_categories", "contexts"}
    assert not [name for name, _ in model.named_parameters() if "context" in name]
    assert [part.shape[-1] for part in vars(explanation(model)).values()] == [0, 2, 0, 10]


@pytest.mark.parametrize(
    "shape",
    [
        BARE,
        replace(BARE, n_targets=1),
        replace(BARE, n_known=1),
        replace(BARE, n_static=1),
        replace(BARE, cardinalities=(4,)),
        replace(SHAPE, horizon=1),
        replace(SHAPE, n_targets=21),
    ],
)
def test_of_every_class_of_any_size_all_parameters_have_a_gradient(shape: WindowShape) -> None:
    model = tft(shape)
    torch.autograd.backward(model(make_batch(shape).inputs).square().sum())
    assert [name for name, weight in model.named_parameters() if weight.grad is None or not weight.grad.any()] in (
        [],
        ["attention.key.bias"],  # moves all scores of a query alike
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"width": 0}, "model.width must be 1 or more, got 0"),
        ({"n_heads": 0}, "model.n_heads must be 1 or more, got 0"),
        ({"dropout": 1.0}, r"model.dropout must lie in \[0, 1\), got 1.0"),
        ({"norm": "x"}, "model.norm must be one of none, last, revin"),
    ],
)
def test_an_argument_out_of_range_is_refused_in_one_sentence(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tft(**arguments)
