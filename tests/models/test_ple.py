from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from models.base import WindowShape
from models.layers.multitask import Experts
from models.ple import PLE, Extraction

pytestmark = pytest.mark.usefixtures("one_thread")
SHAPE = WindowShape(lookback=7, horizon=5, n_targets=3)


def expert(experts: Experts, group: int, number: int, inputs: Tensor) -> Tensor:
    weight, bias = experts.linear.weight[group], experts.linear.bias[group]  # type: ignore[index]
    own = slice(number * 4, number * 4 + 4)
    return F.relu(F.linear(inputs, weight[own], bias[own]))


def test_a_layer_mixes_own_and_shared_experts_a_task_and_all_for_the_shared_vector() -> None:
    layer = Extraction(3, 2, 2, 6, 4, 0.0, last=False)
    tasks, shared = torch.randn(5, 3, 6), torch.randn(5, 6)
    mixed, common = layer(tasks, shared)
    said = [expert(layer.shared_experts, 0, i, shared) for i in range(2)]
    own = [[expert(layer.task_experts, k, i, tasks[:, k]) for i in range(2)] for k in range(3)]
    for k in range(3):
        gate = F.softmax(tasks[:, k] @ layer.gates.weight[k].T, -1)
        torch.testing.assert_close(mixed[:, k], sum(gate[:, i, None] * e for i, e in enumerate([*own[k], *said])))
    assert layer.shared_gate is not None
    gate = F.softmax(shared @ layer.shared_gate.weight.T, -1)
    everyone = [*own[0], *own[1], *own[2], *said]
    torch.testing.assert_close(common, sum(gate[:, i, None] * e for i, e in enumerate(everyone)))


def test_each_layer_reads_what_the_one_before_put_out_and_the_last_shares_nothing() -> None:
    model, window = PLE(SHAPE, n_layers=3, width=4), torch.randn(2, 21)
    first, second, third = model.layers
    assert third.shared_gate is None
    torch.testing.assert_close(model.extract(window), third(*second(*first(window, window)))[0])


def test_without_shared_experts_to_sway_a_task_keeps_to_its_own() -> None:
    layer = Extraction(3, 1, 1, 6, 4, 0.0, last=True)
    tasks, shared = torch.randn(5, 3, 6), torch.randn(5, 6)
    other = tasks.clone()
    other[:, 1] += 1
    same = (layer(tasks, shared)[0] == layer(other, shared)[0]).flatten(2).all(-1).all(0)
    assert same.tolist() == [True, False, True]


def test_an_argument_out_of_range_is_refused_in_one_sentence() -> None:
    with pytest.raises(ValueError, match=r"model.n_task_experts must be 1 or more, got 0"):
        PLE(SHAPE, n_task_experts=0)
