"""What every model promises, checked for each by name."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any

import pytest
import safetensors.torch
import torch

import models
import search_spaces
from datasets.windows.batch import Batch, Inputs
from models.base import HEADS, Forecaster, Use, WindowShape
from models.heads import make_head
from models.heads.base import Head
from models.heads.draws import Draws
from models.heads.point import LOSSES
from tests.models.batches import make_batch
from tests.models.originals import skip_unless_installed
from tuner.study.schema import defaults_of

pytestmark = pytest.mark.usefixtures("one_thread")
SHAPE = WindowShape(lookback=16, horizon=6, n_targets=3, n_known=2)
WIDE = replace(SHAPE, n_past_covariates=2, n_static=2, lags=(1, 3), cardinalities=(3, 2))
FINE: dict[str, dict[str, Any]] = {"crossformer": {"segment_length": 2}}
"""For gradients: attention to one segment has weight 1 whatever queries and keys are."""
FIELDS: dict[Use, tuple[str, ...]] = {
    "covariates": ("past_covariates",),
    "known": ("past_known", "future_known"),
    "static": ("static", "static_categories"),
    "lags": ("past_lags", "future_lags"),
    "observed": ("past_observed",),
}
every_model = pytest.mark.parametrize("name", models.names())


def with_heads(names: Iterable[str], without: str = "") -> pytest.MarkDecorator:
    """Every head of every model; a few of most models at once, all of them among the slow tests."""

    def marks(name: str, loss: str) -> list[pytest.MarkDecorator]:
        quick = name == "dlinear" or loss in (models.get(name).heads[0], "student_t", "quantile")
        return [] if quick else [pytest.mark.slow]

    cases = [(name, loss) for name in names for loss in models.get(name).heads if loss != without]
    return pytest.mark.parametrize(("name", "loss"), [pytest.param(*case, marks=marks(*case)) for case in cases])


every_model_and_head = with_heads(models.names())

NORMS: dict[str, list[dict[str, Any]]] = {
    name: [{"norm": norm} for norm in ("none", "last", "revin")]
    if "norm" in inspect.signature(models.get(name).__init__).parameters
    else [{}]
    for name in models.names()
}
START_AT_MEAN = {"autoformer", "fedformer"}
"""Whose trend starts at the mean of the observed past, under any norm."""
every_norm_and_head = with_heads(
    [name for name in models.names() if len(NORMS[name]) > 1],
    without="negative_binomial",  # counts end at 0: they neither shift nor stretch
)


def head_of(name: str) -> Head:
    """The first that a model supports: mse, unless it says so."""
    return make_head(models.get(name).heads[0])


def build_for(name: str, loss: str, shape: WindowShape = SHAPE, **arguments: Any) -> tuple[Forecaster, Head]:
    """At the size of the baseline of its space of the same name, which is small."""
    skip_unless_installed(name)
    head = make_head(loss)
    baseline = search_spaces.get(name).baseline_config(shape.horizon, defaults_of(name))
    small = {key.removeprefix("model."): value for key, value in baseline.items() if key.startswith("model.")}
    return models.get(name)(replace(shape, n_outputs=head.n_outputs), **{**small, **arguments}), head


def build(name: str, shape: WindowShape = SHAPE, **arguments: Any) -> Forecaster:
    return build_for(name, models.get(name).heads[0], shape, **arguments)[0]


def with_holes() -> Inputs:
    """Of three channels the first is whole, the others lack values inside and at the end."""
    inputs = make_batch(WIDE).inputs
    observed = inputs.past_observed.clone()
    observed[:, 5:9, 1:], observed[:, -2:, 2] = False, False
    return replace(inputs, past_observed=observed)


def rescaled(inputs: Inputs, by: float = 1.0, to: float = 0.0) -> Inputs:
    """All values of the targets times ``by`` plus ``to``; their lags are such values."""
    parts = ("past_target", "past_lags", "future_lags")
    return replace(inputs, **{part: getattr(inputs, part) * by + to for part in parts})


def windows(inputs: Inputs, chosen: slice) -> Inputs:
    return replace(inputs, **{f.name: getattr(inputs, f.name)[chosen] for f in fields(inputs)})


@every_model
@pytest.mark.parametrize("n_targets", [1, 21])
@pytest.mark.parametrize(("lookback", "horizon"), [(16, 6), (6, 16), (1, 1)])
def test_forward_gives_one_output_for_each_future_value(name: str, n_targets: int, lookback: int, horizon: int) -> None:
    shape = replace(SHAPE, n_targets=n_targets, lookback=lookback, horizon=horizon)
    assert build(name, shape)(make_batch(shape, n_windows=2).inputs).shape == (2, horizon, n_targets, head_of(name).n_outputs)


FREE: dict[str, dict[str, Any]] = {"sparsetsf": {"period": 1}}
"""Arguments without which a model has too few weights to fit one batch."""


def evaluated(model: Forecaster, batch: Batch, head: Head) -> float:
    """The mean loss in evaluation."""
    model.eval()
    with torch.no_grad():
        loss = model.training_loss(batch, head).mean().item()
    model.train()
    return loss


@every_model
def test_a_model_overfits_one_batch_by_its_inputs(name: str) -> None:
    model, head, batch = build(name, **FREE.get(name, {})), head_of(name), make_batch(SHAPE)
    swapped = replace(batch, future_target=batch.future_target.roll(1, 0))  # as good for what is blind to its inputs
    optimizer, start = torch.optim.Adam(model.parameters(), lr=3e-3), evaluated(model, batch, head)
    for _ in range(8):
        for _ in range(50):
            optimizer.zero_grad()
            torch.autograd.backward(model.training_loss(batch, head).mean())
            optimizer.step()
        fitted, other = evaluated(model, batch, head), evaluated(model, swapped, head)
        if fitted < 0.3 * start and fitted < other - 0.4:
            return
    pytest.fail(f"the loss went from {start:.3f} to {fitted:.3f}, with the windows' futures swapped {other:.3f}")


@every_model
def test_the_gradient_reaches_every_parameter(name: str) -> None:
    model = build(name, **FINE.get(name, {}))
    torch.autograd.backward(model.training_loss(make_batch(SHAPE), head_of(name)).mean())
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
        losses.append(build(name).training_loss(make_batch(SHAPE), head_of(name)))
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
        alone = model(windows(inputs, slice(i, i + 1)))
        torch.testing.assert_close(alone, whole[i : i + 1], atol=1e-6, rtol=1e-6)


@every_model
def test_a_model_trains_after_it_was_evaluated_in_inference_mode(name: str) -> None:
    model, batch = build(name), make_batch(SHAPE)
    with torch.inference_mode():
        model.eval()(batch.inputs)
    torch.autograd.backward(model.training_loss(batch, head_of(name)).mean())
    torch.autograd.backward(model.train().training_loss(batch, head_of(name)).mean())


@every_model
def test_bfloat16_autocast_comes_close(name: str) -> None:
    model, batch = build(name).eval(), make_batch(SHAPE)
    with torch.autocast("cpu", torch.bfloat16):
        loss = model.training_loss(batch, head_of(name))
    torch.testing.assert_close(loss.float().mean(), model.training_loss(batch, head_of(name)).mean(), atol=0.1, rtol=0.1)
    model.train()
    with torch.autocast("cpu", torch.bfloat16):
        torch.autograd.backward(model.training_loss(batch, head_of(name)).mean())


@every_model
def test_a_model_of_the_size_of_its_paper_forecasts(name: str) -> None:
    skip_unless_installed(name)
    shape = replace(SHAPE, n_outputs=head_of(name).n_outputs)
    with torch.no_grad():
        assert models.get(name)(shape).eval()(make_batch(shape).inputs).isfinite().all()


@pytest.mark.slow
@pytest.mark.usefixtures("unchecked")
@every_model
def test_a_model_compiles_to_one_graph(name: str) -> None:
    inputs = make_batch(SHAPE).inputs
    inputs = replace(inputs, past_observed=torch.ones((), dtype=torch.bool).expand_as(inputs.past_observed))
    for norm in NORMS[name]:
        model = build(name, **norm)
        for training in (True, False):
            torch.compiler.reset()
            compiled = torch.compile(model.train(training), fullgraph=True, backend="eager")
            assert compiled(inputs).shape == (4, 6, 3, head_of(name).n_outputs)


@every_model
def test_a_model_cites_its_paper(name: str) -> None:
    found = models.get(name)
    venue = r"(AAAI|NeurIPS|ICML|ICLR|KDD|SIGIR|ECML|IJCAI|TMLR|IJF|RecSys|arXiv:\d{4}\.\d{4,5}),? (19|20)\d\d"
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
    assert models.get(name).heads
    assert set(models.get(name).heads) <= set(HEADS)


@every_model_and_head
def test_under_every_head_the_loss_is_finite_and_its_gradient_reaches_the_outputs(name: str, loss: str) -> None:
    model, head = build_for(name, loss, **FINE.get(name, {}))
    losses = model.training_loss(make_batch(SHAPE), head)
    assert losses.shape == (4, 6, 3)
    assert losses.isfinite().all()
    torch.autograd.backward(losses.mean())
    gradients = [weight.grad for weight in (*model.parameters(), *head.parameters())]
    assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients)
    assert all(gradient.any() for gradient in gradients if gradient is not None and gradient.ndim > 1)


@every_model_and_head
def test_under_every_head_a_window_has_the_same_paths_alone_and_in_a_batch(name: str, loss: str) -> None:
    (model, head), inputs = build_for(name, loss), make_batch(SHAPE).inputs
    origins = torch.tensor([7, 3, 100, 5])
    with torch.no_grad():
        paths = model.eval().predict(inputs, head, 5, Draws(0, origins)).paths
        assert paths.shape == (4, paths.shape[1], 6, 3)
        assert paths.isfinite().all()
        for i in range(4):
            one = slice(i, i + 1)
            alone = model.predict(windows(inputs, one), head, 5, Draws(0, origins[one])).paths
            torch.testing.assert_close(alone, paths[one], atol=1e-5, rtol=1e-5)


@every_model_and_head
def test_under_every_head_paths_are_a_function_of_their_seed_and_touch_no_shared_generator(name: str, loss: str) -> None:
    (model, head), inputs = build_for(name, loss), make_batch(SHAPE).inputs
    model.eval()
    state = torch.get_rng_state()
    with torch.no_grad():
        first, again, other = (model.predict(inputs, head, 5, Draws(seed, torch.arange(4))).paths for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert first.shape[1] == (1 if loss in LOSSES else 5)
    assert (first.shape[1] == 1) == torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), state)


@every_norm_and_head
@pytest.mark.parametrize("norm", ["last", "revin"])
def test_under_a_norm_a_shift_of_the_past_shifts_the_forecast(name: str, loss: str, norm: str) -> None:
    (model, head), inputs = build_for(name, loss, WIDE, norm=norm), with_holes()
    moved = rescaled(inputs, to=5)
    with torch.no_grad():
        paths, shifted = (model.eval().predict(x, head, 5, Draws(0, torch.arange(4))).paths for x in (inputs, moved))
    torch.testing.assert_close(shifted, paths + 5, atol=1e-3, rtol=1e-3)


@every_norm_and_head
def test_under_revin_a_stretch_of_the_past_stretches_the_forecast(name: str, loss: str) -> None:
    (model, head), inputs = build_for(name, loss, WIDE, norm="revin"), with_holes()
    stretched = rescaled(inputs, by=8)
    with torch.no_grad():
        paths, wider = (model.eval().predict(x, head, 5, Draws(0, torch.arange(4))).paths for x in (inputs, stretched))
    torch.testing.assert_close(wider, paths * 8, atol=1e-2, rtol=1e-2)


@every_norm_and_head
@pytest.mark.parametrize("norm", ["none", "last", "revin"])
def test_under_a_norm_a_network_of_zeros_puts_out_level_and_log_spread_of_what_was_observed(
    name: str, loss: str, norm: str
) -> None:
    (model, head), inputs = build_for(name, loss, WIDE, norm=norm), with_holes()
    for weight in model.parameters():
        torch.nn.init.zeros_(weight)
    filled = replace(inputs, past_target=torch.where(inputs.past_observed, inputs.past_target, 100.0))
    outputs = model.eval()(filled)
    expected = torch.zeros(4, 6, 3, head.n_outputs)
    for channel in range(3):
        values = inputs.past_target[:, inputs.past_observed[0, :, channel], channel]
        levels = {"none": torch.zeros(4), "last": values[:, -1], "revin": values.mean(1)}
        level = levels["revin" if name in START_AT_MEAN else norm]
        expected[:, :, channel, 0] = level.unsqueeze(1)
        if norm == "revin":
            expected[:, :, channel, 1:2] = values.std(1, unbiased=False).log()[:, None, None]
    torch.testing.assert_close(outputs, expected, atol=1e-4, rtol=1e-4)


@every_model
def test_every_input_that_a_model_says_it_uses_matters_and_no_other_does(name: str) -> None:
    model, inputs = build(name, WIDE, **NORMS[name][-1]).eval(), with_holes()  # without a norm few read the mask
    before = model(inputs)
    for use, parts in FIELDS.items():
        for part in parts:
            value = getattr(inputs, part)
            other = ~value if value.dtype == torch.bool else (value + 1) % 2 if value.dtype == torch.int64 else value + 1
            same = torch.equal(model(replace(inputs, **{part: other})), before)
            assert same != (use in model.uses), part


@every_model
def test_a_model_runs_where_what_it_uses_is_absent(name: str) -> None:
    bare = WindowShape(lookback=16, horizon=6, n_targets=3)
    assert build(name, bare)(make_batch(bare).inputs).isfinite().all()


def with_late_lags(inputs: Inputs, value: float = 0.0) -> Inputs:
    """The inputs with ``value`` where a lag lies after the origin; data has 0 there."""
    late = torch.arange(WIDE.horizon)[:, None] >= torch.tensor(WIDE.lags)
    return replace(inputs, future_lags=inputs.future_lags.masked_fill(late[:, None], value))


@every_model
def test_a_forecast_reads_no_lag_after_the_origin(name: str) -> None:
    model, inputs = build(name, WIDE).eval(), make_batch(WIDE).inputs
    with torch.no_grad():
        known, junk = (
            model.predict(with_late_lags(inputs, value), head_of(name), 5, Draws(0, torch.arange(4))).paths
            for value in (0.0, 100.0)
        )
    assert torch.equal(known, junk)


@every_model
def test_the_loss_of_a_step_reads_no_value_after_it(name: str) -> None:
    model, batch = build(name, WIDE).eval(), make_batch(WIDE)
    batch = replace(batch, inputs=with_late_lags(batch.inputs))
    changed = batch.future_target.clone()
    changed[:, 3:] += 5
    losses = [
        model.training_loss(replace(batch, future_target=future), head_of(name)) for future in (batch.future_target, changed)
    ]
    assert torch.equal(losses[0][:, :3], losses[1][:, :3])
    assert not torch.equal(losses[0][:, 3:], losses[1][:, 3:])


@every_model
def test_a_loss_reads_true_values_before_a_step_if_the_model_says_that_it_is_teacher_forced(name: str) -> None:
    """Else ``--last-step-only`` would train a step alone that goes on from what a forecast never has."""
    model, batch = build(name).eval(), make_batch(SHAPE)
    changed = batch.future_target.clone()
    changed[:, 0] += 5
    losses = [model.training_loss(replace(batch, future_target=y), head_of(name)) for y in (batch.future_target, changed)]
    assert torch.equal(losses[0][:, 1:], losses[1][:, 1:]) is not model.teacher_forced


@every_model
def test_the_forecast_has_a_gradient(name: str) -> None:
    model = build(name)
    torch.autograd.backward(model(make_batch(SHAPE).inputs).mean())
    gradients = [weight.grad for weight in model.parameters() if weight.grad is not None]
    assert any(gradient.any() for gradient in gradients)
    assert all(gradient.isfinite().all() for gradient in gradients)


@every_model
def test_the_features_of_a_window_are_numbers_that_do_not_depend_on_the_batch_around_it(name: str) -> None:
    model, inputs = build(name).eval(), make_batch(SHAPE).inputs
    together, alone = model.features(inputs), model.features(inputs.part(1, 2))
    assert together.ndim == 2
    torch.testing.assert_close(model.features(inputs, SHAPE.horizon - 1), together[:, -SHAPE.n_targets :])
    torch.testing.assert_close(together[1:2], alone, atol=1e-5, rtol=1e-5)


@every_model
def test_what_a_model_explains_are_shares_of_every_variable_and_of_the_steps_up_to_each(name: str) -> None:
    found = build(name, WIDE).eval().explain(make_batch(WIDE).inputs)
    if found is None:
        return
    sizes = {"static": (4, 4), "past": (4, 16, 3 + 2 + 2), "future": (4, 6, 2), "attention": (4, 6, 16 + 6)}
    for part, size in sizes.items():
        weights = getattr(found, part)
        assert weights.shape == size
        assert (weights >= 0).all()
        torch.testing.assert_close(weights.sum(-1), torch.ones(size[:-1]))
    assert not found.attention.triu(16 + 1).any()
