from __future__ import annotations

import torch

from models.layers.patching import patches


def test_patches_repeat_the_ends_and_drop_what_is_left_over() -> None:
    series = torch.tensor([[1.0, 2.0, 3.0, 4.0]])
    expected = torch.tensor([[[1.0, 1.0, 2.0], [2.0, 3.0, 4.0], [4.0, 4.0, 4.0]]])
    torch.testing.assert_close(patches(series, 3, 2, before=1, after=2), expected)
    torch.testing.assert_close(patches(series, 3, 2), expected[:, :1] + torch.tensor([0.0, 1.0, 1.0]))
