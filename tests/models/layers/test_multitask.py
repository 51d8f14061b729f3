from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from datasets.windows.batch import Inputs
from models.base import WindowShape
from models.heads import make_head
from models.layers.multitask import Experts, MultiTaskForecaster, block_of_step
from tests.models.batches import make_batch

pytestmark = pytest.mark.usefixtures("one_thread")
SHAPE = WindowShape(lookback=4, horizon=5, n_targets=3, n_known=2, n_past_covariates=1, n_outputs=2)


class Constant(MultiTaskForecaster):
    """The vector of task k is (k, sum of the window)."""

    def extract(self, window: Float[Tensor, "B n"]) -> Float[Tensor, "B tasks D"]:
        assert window.shape[1] == self.n_inputs
        tasks = torch.arange(float(self.n_tasks)).expand(len(window), -1)
        return torch.stack([tasks, window.sum(1, keepdim=True).expand_as(tasks)], -1)


def constant(shape: WindowShape = SHAPE, **arguments: Any) -> Constant:
    defaults = {"task": "channel", "n_blocks": 3, "weighting": "uniform", "norm": "none", "width": 2}
    return Constant(shape, tower_width=4, dropout=0.0, **{**defaults, **arguments})


@pytest.mark.parametrize(
    ("n_steps", "n_blocks", "expected"),
    [(6, 3, [0, 0, 1, 1, 2, 2]), (5, 3, [0, 0, 1, 1, 2]), (5, 4, [0, 0, 1, 2, 3]), (3, 1, [0, 0, 0])],
)
def test_blocks_come_in_order_and_differ_by_at_most_one_step(n_steps: int, n_blocks: int, expected: list[int]) -> None:
    assert block_of_step(n_steps, n_blocks).tolist() == expected


def test_an_expert_is_a_linear_map_with_relu() -> None:
    experts, inputs = Experts(2, 3, 4, 5, 0.0), torch.randn(6, 2, 4)
    weight, bias = experts.linear.weight.view(2, 3, 5, 4), experts.linear.bias.view(2, 3, 5)  # type: ignore[union-attr]
    for group in range(2):
        for expert in range(3):
            expected = F.relu(F.linear(inputs[:, group], weight[group, expert], bias[group, expert]))
            torch.testing.assert_close(experts(inputs)[:, group, expert], expected)


def tower(model: Constant, task: int, vector: Tensor) -> Tensor:
    first, last = model.towers[0], model.towers[3]
    hidden = F.relu(F.linear(vector, first.weight[task], first.bias[task]))  # type: ignore[index]
    return F.linear(hidden, last.weight[task], last.bias[task])  # type: ignore[index]


def vectors(inputs: Inputs, n_tasks: int = 3) -> Tensor:
    parts = (inputs.past_target, inputs.past_covariates, inputs.past_known, inputs.future_known)
    total = torch.stack([part.flatten(1).sum(1) for part in parts]).sum(0)
    return torch.stack([torch.stack([torch.full((4,), float(task)), total], -1) for task in range(n_tasks)], 1)


def test_the_tower_of_a_channel_puts_out_its_whole_horizon() -> None:
    model, inputs = constant(), make_batch(SHAPE).inputs
    outputs = model(inputs)
    for channel in range(3):
        said = tower(model, channel, vectors(inputs)[:, channel]).view(4, 5, 2)
        torch.testing.assert_close(outputs[:, :, channel], said)


def test_the_tower_of_a_block_puts_out_all_channels_of_its_steps() -> None:
    model, inputs = constant(task="horizon", n_blocks=4), make_batch(SHAPE).inputs
    outputs = model(inputs)
    for block, steps in enumerate((slice(0, 2), slice(2, 3), slice(3, 4), slice(4, 5))):
        said = tower(model, block, vectors(inputs, 4)[:, block]).view(4, 2, 3, 2)
        torch.testing.assert_close(outputs[:, steps], said[:, : steps.stop - steps.start])


@pytest.mark.parametrize("task", ["channel", "horizon"])
def test_uncertainty_weighs_the_loss_of_each_task_while_training_alone(task: str) -> None:
    model, batch, head = constant(task=task, weighting="uncertainty"), make_batch(SHAPE), make_head("normal")
    plain = model.eval().training_loss(batch, head)
    torch.testing.assert_close(plain, head.loss(model(batch.inputs), batch))
    torch.testing.assert_close(model.train().training_loss(batch, head), plain)
    assert model.log_variances is not None
    with torch.no_grad():
        model.log_variances[1] = 2.0
    weighed = model.training_loss(batch, head)
    chosen = torch.zeros(4, 5, 3, dtype=torch.bool)
    chosen[:, :, 1] = task == "channel"
    chosen[:, 2:4] |= task == "horizon"
    torch.testing.assert_close(weighed, torch.where(chosen, plain * torch.tensor(-2.0).exp() + 2, plain))
    torch.testing.assert_close(model.eval().training_loss(batch, head), plain)


@pytest.mark.parametrize("task", ["channel", "horizon"])
def test_the_log_variance_that_minimises_a_loss_is_the_logarithm_of_the_loss(task: str) -> None:
    model = constant(replace(SHAPE, n_outputs=1), task=task, weighting="uncertainty")
    batch, head = make_batch(SHAPE), make_head("mse")
    losses = model.eval().training_loss(batch, head).detach()
    blocks = [losses[:, steps].mean() for steps in ([0, 1], [2, 3], [4])]
    assert model.log_variances is not None
    with torch.no_grad():
        model.log_variances.copy_((losses.mean((0, 1)) if task == "channel" else torch.stack(blocks)).log())
    torch.autograd.backward(model.train().training_loss(batch, head).mean())
    torch.testing.assert_close(model.log_variances.grad, torch.zeros(3), atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"task": "series"}, "model.task must be one of channel, horizon, got 'series'"),
        ({"weighting": "x"}, "model.weighting must be one of uniform, uncertainty, got 'x'"),
        ({"n_blocks": 0}, "model.n_blocks must be 1 or more, got 0"),
    ],
)
def test_an_argument_out_of_range_is_refused_in_one_sentence(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        constant(**arguments)
