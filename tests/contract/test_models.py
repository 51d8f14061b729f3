"""What every model promises, checked for each by name."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import fields, replace

import pytest
import safetensors.torch
import torch

import models
from models.base import Forecaster, WindowShape
from models.heads import make_head
from tests.models.batches import make_batch

SHAPE = WindowShape(lookback=16, horizon=6, n_targets=3, n_known=2)
HEAD = make_head("mse")
every_model = pytest.mark.parametrize("name", models.names())


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(before)


def build(name: str, shape: WindowShape = SHAPE) -> Forecaster:
    return models.get(name)(shape)


@every_model
@pytest.mark.parametrize("n_targets", [1, 21])
@pytest.mark.parametrize(("lookback", "horizon"), [(16, 6), (6, 16), (1, 1)])
def test_forward_gives_one_output_for_each_future_value(name: str, n_targets: int, lookback: int, horizon: int) -> None:
    shape = replace(SHAPE, n_targets=n_targets, lookback=lookback, horizon=horizon)
    assert build(name, shape)(make_batch(shape, n_windows=2).inputs).shape == (2, horizon, n_targets, 1)


@every_model
def test_a_model_overfits_one_batch(name: str) -> None:
    model, batch = build(name), make_batch(SHAPE, n_windows=2)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    losses = []
    for _ in range(25):
        loss = model.training_loss(batch, HEAD, None).mean()
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]


@every_model
def test_the_gradient_reaches_every_parameter(name: str) -> None:
    model = build(name)
    torch.autograd.backward(model.training_loss(make_batch(SHAPE), HEAD, None).mean())
    gradients = {key: weight.grad for key, weight in model.named_parameters()}
    assert [key for key, gradient in gradients.items() if gradient is None] == []
    # Of a bias it may be 0 by right: a key's bias moves all scores of a query alike.
    assert [
        key for key, gradient in gradients.items() if gradient is not None and gradient.ndim > 1 and not gradient.any()
    ] == []


@every_model
def test_weights_that_come_back_from_safetensors_give_the_same_forecast(name: str) -> None:
    model, inputs = build(name), make_batch(SHAPE).inputs
    model(inputs)  # moves what a batch norm keeps
    other = build(name)
    other.load_state_dict(safetensors.torch.load(safetensors.torch.save(model.state_dict())))
    assert torch.equal(model.eval()(inputs), other.eval()(inputs))


@every_model
def test_the_same_seed_gives_the_same_loss(name: str) -> None:
    losses = []
    for _ in range(2):
        torch.manual_seed(3)
        losses.append(build(name).training_loss(make_batch(SHAPE), HEAD, None))
    assert torch.equal(*losses)


@every_model
def test_evaluation_repeats_itself_and_draws_from_no_shared_generator(name: str) -> None:
    model, inputs, state = build(name).eval(), make_batch(SHAPE).inputs, torch.get_rng_state()
    assert torch.equal(model(inputs), model(inputs))
    assert torch.equal(torch.get_rng_state(), state)


@every_model
def test_a_forecast_does_not_depend_on_the_batch_around_it(name: str) -> None:
    model, inputs = build(name).eval(), make_batch(SHAPE, n_windows=8).inputs
    whole = model(inputs)
    for i in range(8):
        alone = replace(inputs, **{f.name: getattr(inputs, f.name)[i : i + 1] for f in fields(inputs)})
        torch.testing.assert_close(model(alone), whole[i : i + 1], atol=1e-6, rtol=1e-6)


@every_model
def test_a_model_trains_after_it_was_evaluated_in_inference_mode(name: str) -> None:
    model, batch = build(name), make_batch(SHAPE)
    with torch.inference_mode():
        model.eval()(batch.inputs)
    torch.autograd.backward(model.training_loss(batch, HEAD, None).mean())
    torch.autograd.backward(model.train().training_loss(batch, HEAD, None).mean())


@every_model
def test_bfloat16_autocast_comes_close(name: str) -> None:
    model, batch = build(name).eval(), make_batch(SHAPE)
    with torch.autocast("cpu", torch.bfloat16):
        loss = model.training_loss(batch, HEAD, None)
    torch.testing.assert_close(loss.float().mean(), model.training_loss(batch, HEAD, None).mean(), atol=0.1, rtol=0.1)
    model.train()
    with torch.autocast("cpu", torch.bfloat16):
        torch.autograd.backward(model.training_loss(batch, HEAD, None).mean())


@pytest.mark.usefixtures("unchecked")
@every_model
def test_a_model_compiles_to_one_graph(name: str) -> None:
    model, inputs = build(name), make_batch(SHAPE).inputs
    for training in (True, False):
        compiled = torch.compile(model.train(training), fullgraph=True, backend="eager")
        assert compiled(inputs).shape == (4, 6, 3, 1)


@every_model
def test_a_model_cites_its_paper(name: str) -> None:
    found = models.get(name)
    venue = r"(AAAI|NeurIPS|ICML|ICLR|KDD|SIGIR|ECML|IJCAI|TMLR|IJF),? (19|20)\d\d"
    assert re.search(venue, inspect.getdoc(found) or "")


@every_model
def test_a_constructor_takes_annotated_keywords_with_defaults(name: str) -> None:
    _, shape, *rest = inspect.signature(models.get(name).__init__).parameters.values()
    assert (shape.name, shape.default) == ("shape", inspect.Parameter.empty)
    for parameter in rest:
        assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
        assert inspect.Parameter.empty not in (parameter.annotation, parameter.default), parameter.name
        assert parameter.name in (inspect.getdoc(models.get(name)) or ""), f"{parameter.name} is not described"


@every_model
def test_a_model_supports_heads_that_exist(name: str) -> None:
    assert all(make_head(loss).n_outputs >= 1 for loss in models.get(name).heads)
