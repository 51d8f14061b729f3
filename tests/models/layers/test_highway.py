from __future__ import annotations

import pytest
import torch

from models.layers.highway import AutoregressiveHighway


def test_each_channel_is_a_weighted_sum_of_its_own_last_steps() -> None:
    highway, past = AutoregressiveHighway(3, 6, 4, 2), torch.randn(5, 6, 7)
    outputs = highway(past)
    assert outputs.shape == (5, 4, 7, 2)
    weight, bias = highway.linear.weight.view(4, 2, 3), highway.linear.bias.view(4, 2)
    for step in range(4):
        for output in range(2):
            expected = sum(weight[step, output, k] * past[:, 3 + k] for k in range(3)) + bias[step, output]
            torch.testing.assert_close(outputs[:, step, :, output], expected)


@pytest.mark.parametrize("n_steps", [4, 5, 50])
def test_it_reads_at_most_the_whole_past(n_steps: int) -> None:
    assert AutoregressiveHighway(n_steps, 4, 2, 1).linear.in_features == 4
