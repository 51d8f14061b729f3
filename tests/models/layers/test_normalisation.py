from __future__ import annotations

import pytest
import torch

from models.layers.normalisation import TokenBatchNorm, WindowNorm

WHOLE = torch.ones((), dtype=torch.bool)
HOLES = torch.tensor([[1, 1, 1, 0, 0], [0, 1, 1, 0, 1], [0, 0, 0, 0, 0]], dtype=torch.bool).T.expand(2, 5, 3)
"""Of three channels the first ends in holes, the last one is never observed."""


def trained(mode: str) -> WindowNorm:
    norm = WindowNorm(mode, 3)  # type: ignore[arg-type]
    for parameter in norm.parameters():
        torch.nn.init.normal_(parameter)
    return norm


@pytest.mark.parametrize("mode", ["none", "last", "revin"])
def test_restoring_undoes_the_normalisation(mode: str) -> None:
    norm, past = trained(mode), torch.randn(2, 5, 3)
    normal, statistics = norm(past, HOLES)
    torch.testing.assert_close(norm.restore(normal.unsqueeze(-1), statistics).squeeze(-1), past)


@pytest.mark.parametrize("mode", ["none", "last", "revin"])
def test_the_log_spread_takes_the_scale_back_and_what_has_no_unit_stays(mode: str) -> None:
    norm, past, outputs = trained(mode), torch.randn(2, 50, 3), torch.randn(2, 4, 3, 5)
    _, statistics = norm(past, WHOLE.expand_as(past))
    restored = norm.restore(outputs, statistics)
    spread = torch.ones(3) if mode != "revin" else past.var(1, unbiased=False, keepdim=True).sqrt() / norm.log_weight.exp()
    torch.testing.assert_close(restored[..., 1].exp(), outputs[..., 1].exp() * spread, atol=1e-3, rtol=1e-3)
    assert torch.equal(restored[..., 2:], outputs[..., 2:])
    torch.testing.assert_close(restored[..., :1], norm.restore(outputs[..., :1], statistics))


@pytest.mark.parametrize("mode", ["last", "revin"])
def test_the_normalised_past_ignores_a_shift_and_the_forecast_follows_it(mode: str) -> None:
    norm, past, shift = trained(mode), torch.randn(2, 5, 3), torch.tensor([10.0, -3.0, 0.5])
    outputs = torch.randn(2, 4, 3, 1)
    (normal, statistics), (shifted, moved) = norm(past, HOLES), norm(past + shift, HOLES)
    torch.testing.assert_close(normal, shifted, atol=1e-5, rtol=1e-5)
    expected = norm.restore(outputs, statistics) + shift.unsqueeze(-1)
    torch.testing.assert_close(norm.restore(outputs, moved), expected, atol=1e-5, rtol=1e-5)


def test_revin_gives_mean_0_and_spread_1() -> None:
    normal, _ = WindowNorm("revin", 3)(7 + 2 * torch.randn(2, 50, 3), WHOLE.expand(2, 50, 3))
    torch.testing.assert_close(normal.mean(1), torch.zeros(2, 3), atol=1e-5, rtol=0)
    torch.testing.assert_close(normal.std(1, unbiased=False), torch.ones(2, 3), atol=1e-4, rtol=0)


def test_revin_without_its_affine_map_is_revin_at_the_start_and_has_no_weights() -> None:
    plain, learned, past = WindowNorm("revin", 3, affine=False), WindowNorm("revin", 3), torch.randn(2, 5, 3)
    (normal, statistics), (expected, _) = plain(past, HOLES), learned(past, HOLES)
    torch.testing.assert_close(normal, expected)
    outputs = torch.randn(2, 4, 3, 2)
    torch.testing.assert_close(plain.restore(outputs, statistics), learned.restore(outputs, statistics))
    assert not plain.state_dict()


def test_a_constant_window_stays_finite() -> None:
    norm = WindowNorm("revin", 3)
    normal, statistics = norm(torch.full((2, 5, 3), 4.0), HOLES)
    torch.testing.assert_close(norm.restore(normal.unsqueeze(-1), statistics).squeeze(-1), torch.full((2, 5, 3), 4.0))


def test_where_all_is_observed_level_and_spread_are_the_plain_ones_to_the_bit() -> None:
    past = 100 + torch.randn(2, 97, 3)
    level, spread = past.mean(1, keepdim=True), (past.var(1, keepdim=True, unbiased=False) + 1e-5).sqrt()
    for mask in (WHOLE.expand_as(past), torch.ones_like(past, dtype=torch.bool)):
        assert torch.equal(trained("last")(past, mask)[1].loc, past[:, -1:])
        assert all(map(torch.equal, trained("revin")(past, mask)[1], (level, spread)))


def test_level_and_spread_are_those_of_the_observed_values_or_of_all_if_there_are_none() -> None:
    past = torch.randn(2, 5, 3)
    counted = [past[:, :3, 0], past[:, [1, 2, 4], 1], past[..., 2]]
    last, (loc, scale) = trained("last")(past, HOLES)[1].loc, trained("revin")(past, HOLES)[1]
    for channel, values in enumerate(counted):
        torch.testing.assert_close(last[:, 0, channel], values[:, -1])
        torch.testing.assert_close(loc[:, 0, channel], values.mean(1))
        torch.testing.assert_close(scale[:, 0, channel], (values.var(1, unbiased=False) + 1e-5).sqrt())


@pytest.mark.parametrize("mode", ["last", "revin"])
def test_what_fills_a_hole_moves_nothing_but_itself(mode: str) -> None:
    norm, past = WindowNorm(mode, 2), torch.randn(2, 5, 2)  # type: ignore[arg-type]
    holes = HOLES[..., :2]
    (normal, statistics), (refilled, same) = norm(past, holes), norm(torch.where(holes, past, 1e4), holes)
    assert all(map(torch.equal, statistics, same))
    assert torch.equal(normal == refilled, holes)


def test_statistics_carry_no_gradient() -> None:
    past = torch.randn(2, 5, 3, requires_grad=True)
    for mode in ("last", "revin"):
        assert not any(part.requires_grad for part in trained(mode)(past, HOLES)[1])


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ValueError, match=r"model.norm must be one of none, last, revin, got 'batch'"):
        WindowNorm("batch", 3)  # type: ignore[arg-type]


def test_one_token_alone_is_normalised_as_in_evaluation() -> None:
    norm = TokenBatchNorm(3)
    norm(torch.randn(4, 5, 3))  # moves the running statistics
    token = torch.randn(1, 1, 3)
    trained = norm(token)
    torch.testing.assert_close(trained, norm.eval()(token))


def test_tokens_are_standardised_over_batch_and_steps() -> None:
    tokens = torch.randn(4, 5, 3) * 7 + 2
    torch.testing.assert_close(TokenBatchNorm(3)(tokens).mean((0, 1)), torch.zeros(3), atol=1e-5, rtol=0)
