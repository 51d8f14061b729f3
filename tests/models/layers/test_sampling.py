from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from datasets.windows.batch import Inputs
from models.base import WindowShape
from models.heads import make_head
from models.heads.draws import Draws
from models.layers.normalisation import WindowNorm
from models.layers.sampling import PathDraws, StepFeatures, draw_step, in_parts, normalised
from tests.models.batches import make_batch

SHAPE = WindowShape(
    lookback=4, horizon=5, n_targets=2, n_known=3, n_static=1, lags=(1, 3, 8), cardinalities=(3, 4), n_past_covariates=1
)
BARE = WindowShape(lookback=1, horizon=3, n_targets=2)
shapes = pytest.mark.parametrize("shape", [SHAPE, BARE, replace(SHAPE, lookback=1, horizon=1)])
both = pytest.mark.parametrize("joint", [False, True])


def by_hand(features: StepFeatures, inputs: Inputs, future: Tensor, window: int, group: int, step: int) -> Tensor:
    """x of one step, counted from the first one of the lookback."""
    n_past, channels = inputs.past_target.shape[1], range(inputs.past_target.shape[2]) if features.joint else [group]
    values = torch.cat([torch.zeros_like(future[:, :1]), inputs.past_target, future], 1)[window]
    found = [values[step, c] for c in channels]
    for place, lag in enumerate(features.lags):
        for c in channels:
            if step < n_past:
                found.append(inputs.past_lags[window, step, c, place])
            elif lag > step - n_past:
                found.append(inputs.future_lags[window, step - n_past, c, place])
            else:
                found.append(future[window, step - n_past - lag, c])
    known = torch.cat([inputs.past_known, inputs.future_known], 1)[window, step]
    tables = [table.weight[inputs.static_categories[window, place]] for place, table in enumerate(features.static.tables)]
    scales = torch.stack([inputs.scale[window, 0, c].log() for c in channels])
    return torch.cat([torch.stack(found), known, inputs.static[window], *tables, scales])


@both
@shapes
def test_the_features_of_a_step_are_those_written_out(shape: WindowShape, joint: bool) -> None:
    batch, features = make_batch(shape, 2), StepFeatures(shape, joint=joint)
    inputs = replace(batch.inputs, scale=torch.rand(2, 1, 2) + 0.5)
    steps = torch.cat([features.past(inputs), features.horizon(inputs, batch.future_target)], 2)
    assert steps.shape == (2, 1 if joint else 2, shape.lookback + shape.horizon, features.n_features)
    for window in range(2):
        for group in range(steps.shape[1]):
            for step in range(steps.shape[2]):
                expected = by_hand(features, inputs, batch.future_target, window, group, step)
                torch.testing.assert_close(steps[window, group, step], expected)


@both
@shapes
def test_true_values_step_by_step_give_the_features_of_teacher_forcing(shape: WindowShape, joint: bool) -> None:
    batch, features = make_batch(shape), StepFeatures(shape, joint=joint)
    expected, template = features.horizon(batch.inputs, batch.future_target), features.template(batch.inputs)
    values: list[Tensor] = []
    for step in range(shape.horizon):
        found = features.at(template, values, n_paths=3)
        torch.testing.assert_close(found, expected[:, None, :, step].expand(-1, 3, -1, -1))
        values.append(batch.future_target[:, None, step].expand(-1, 3, -1))


def test_each_path_reads_its_own_values() -> None:
    batch, features = make_batch(SHAPE), StepFeatures(SHAPE, joint=False)
    values = [torch.randn(4, 3, 2) for _ in range(3)]
    found = features.at(features.template(batch.inputs), values, n_paths=3)
    torch.testing.assert_close(found[..., :3], torch.stack([values[2], values[2], values[0]], -1))


@pytest.mark.parametrize("loss", ["normal", "student_t", "quantile", "implicit_quantile", "low_rank_normal"])
def test_a_step_is_drawn_from_the_outputs_of_its_own_path_with_levels_spread_over_paths(loss: str) -> None:
    head, inputs = make_head(loss), make_batch(BARE).inputs
    outputs = torch.randn(4, 1, 2, head.n_outputs).expand(-1, 50, -1, -1).clone()
    expected = head.forecast(outputs[:, :1], inputs, 50, Draws(0, torch.arange(4))).paths.squeeze(2)
    torch.testing.assert_close(draw_step(head, outputs, inputs, Draws(0, torch.arange(4))), expected)
    outputs[:, 7, :, 0] += 100
    moved = draw_step(head, outputs, inputs, Draws(0, torch.arange(4))) - expected
    assert torch.equal((moved > 50).nonzero()[:, 1].unique(), torch.tensor([7]))


def test_normal_numbers_for_paths_are_those_of_the_draws() -> None:
    assert torch.equal(PathDraws(Draws(0, torch.arange(4))).normal(3, 2), Draws(0, torch.arange(4)).normal(3, 2))


def test_windows_in_parts_draw_what_they_draw_together() -> None:
    inputs, draws = make_batch(BARE, 5).inputs, Draws(0, torch.arange(5))

    def sample(inputs: Inputs, draws: Draws) -> Tensor:
        return inputs.past_target.unsqueeze(1) + draws.normal(3, 1, 2) + draws.uniform(3, 1, 2)

    expected = sample(inputs, Draws(0, torch.arange(5)))
    for rows in (1, 1 << 13, 1 << 20):
        assert torch.equal(in_parts(sample, inputs, draws, rows), expected)


@pytest.mark.parametrize("mode", ["none", "last", "revin"])
def test_lags_are_normalised_like_the_past(mode: str) -> None:
    inputs, norm = make_batch(SHAPE).inputs, WindowNorm(mode, 2)  # type: ignore[arg-type]
    seen, _ = normalised(norm, replace(inputs, past_lags=inputs.past_target.unsqueeze(-1).expand(-1, -1, -1, 3).contiguous()))
    torch.testing.assert_close(seen.past_lags, seen.past_target.unsqueeze(-1).expand(-1, -1, -1, 3))
    torch.testing.assert_close(seen.past_target, norm(inputs.past_target, inputs.past_observed)[0])
