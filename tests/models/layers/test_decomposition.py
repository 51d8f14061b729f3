from __future__ import annotations

import torch

from models.layers.decomposition import Decomposition, moving_average


def test_one_kernel_takes_out_the_moving_average() -> None:
    steps = torch.randn(2, 9, 3)
    seasonal, trend = Decomposition(9, (4,))(steps)
    torch.testing.assert_close(trend, moving_average(steps.mT, 4).mT)
    torch.testing.assert_close(seasonal, steps - trend)


def test_several_kernels_are_mixed_by_a_softmax_of_each_value() -> None:
    steps, decomposition = torch.randn(2, 9, 3), Decomposition(9, (3, 5, 8))
    averages = torch.stack([moving_average(steps.mT, kernel).mT for kernel in (3, 5, 8)], -1)
    shares = (steps.unsqueeze(-1) * decomposition.slope + decomposition.offset).softmax(-1)
    torch.testing.assert_close(decomposition(steps)[1], (averages * shares).sum(-1))


def test_it_stays_in_float32_under_autocast() -> None:
    steps, decomposition = torch.randn(2, 9, 3), Decomposition(9, (4,))
    with torch.autocast("cpu", torch.bfloat16):
        torch.testing.assert_close(decomposition(steps), decomposition(steps), rtol=0, atol=0)
        assert decomposition(steps)[1].dtype == torch.float32
        torch.testing.assert_close(decomposition(steps)[1], moving_average(steps.mT, 4).mT)
