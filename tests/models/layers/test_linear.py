from __future__ import annotations

import torch
import torch.nn.functional as F

from models.layers.linear import GroupedLinear


def test_a_grouped_map_is_one_linear_map_a_group() -> None:
    ours, inputs = GroupedLinear(3, 4, 2), torch.randn(5, 3, 4)
    for group in range(3):
        expected = F.linear(inputs[:, group], ours.weight[group], ours.bias[group])  # type: ignore[index]
        torch.testing.assert_close(ours(inputs)[:, group], expected)
        expected = F.linear(inputs[:, 0], ours.weight[group], ours.bias[group])  # type: ignore[index]
        torch.testing.assert_close(ours(inputs[:, 0])[:, group], expected)
