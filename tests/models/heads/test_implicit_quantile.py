from __future__ import annotations

import torch

from models.base import WindowShape
from models.heads.draws import Draws
from models.heads.implicit_quantile import ImplicitQuantileHead
from models.heads.quantile import pinball
from tests.models.batches import make_batch

BATCH = make_batch(WindowShape(lookback=6, horizon=3, n_targets=2))


def example() -> tuple[ImplicitQuantileHead, torch.Tensor]:
    torch.manual_seed(0)
    return ImplicitQuantileHead(), torch.randn(4, 3, 2, 10)


def test_the_value_is_location_and_spread_times_a_network_of_features_and_level() -> None:
    head, outputs = example()
    level = torch.full((4, 3, 2), 0.3)
    cosines = torch.stack([torch.cos(torch.tensor(torch.pi * i * 0.3)) for i in range(64)])
    embedded = torch.relu(head.level.weight @ cosines + head.level.bias)
    features = torch.relu(outputs[..., 2:] @ head.features.weight.T + head.features.bias)
    shape = (features * (1 + embedded)) @ head.value.weight[0] + head.value.bias
    expected = outputs[..., 0] + outputs[..., 1].exp() * shape
    torch.testing.assert_close(head.quantile(outputs, level), expected, atol=1e-4, rtol=1e-4)


def test_the_level_of_a_training_step_comes_from_the_default_generator() -> None:
    head, outputs = example()
    torch.manual_seed(7)
    losses = head.loss(outputs, BATCH)
    torch.manual_seed(7)
    levels = torch.rand(4, 3, 2)
    assert torch.equal(losses, pinball(head.quantile(outputs, levels), BATCH.future_target, levels))
    assert not torch.equal(losses, head.loss(outputs, BATCH))


def test_a_path_takes_the_values_at_its_levels() -> None:
    head, outputs = example()
    paths = head.forecast(outputs, BATCH.inputs, 5, Draws(2, torch.arange(4))).paths
    levels = Draws(2, torch.arange(4)).levels(5, 3, 2)
    for path in range(5):
        assert torch.equal(paths[:, path], head.quantile(outputs, levels[:, path]))


def test_in_evaluation_the_loss_draws_nothing_and_is_the_mean_over_even_levels() -> None:
    head, outputs = example()
    before = torch.get_rng_state()
    losses = head.eval().loss(outputs, BATCH)
    assert torch.equal(torch.get_rng_state(), before)
    target = BATCH.future_target
    levels = [torch.full_like(target, (i + 0.5) / 20) for i in range(20)]
    expected = torch.stack([pinball(head.quantile(outputs, level), target, level) for level in levels]).mean(0)
    torch.testing.assert_close(losses, expected)
