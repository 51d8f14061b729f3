from __future__ import annotations

import pytest
import torch

from models.layers.normalisation import WindowNorm


def trained(mode: str) -> WindowNorm:
    norm = WindowNorm(mode, 3)  # type: ignore[arg-type]
    for parameter in norm.parameters():
        torch.nn.init.normal_(parameter)
    return norm


@pytest.mark.parametrize("mode", ["none", "last", "revin"])
def test_restoring_undoes_the_normalisation(mode: str) -> None:
    norm, past = trained(mode), torch.randn(2, 5, 3)
    normal, statistics = norm(past)
    torch.testing.assert_close(norm.restore(normal.unsqueeze(-1), statistics).squeeze(-1), past)


@pytest.mark.parametrize("mode", ["none", "last", "revin"])
def test_the_log_spread_takes_the_scale_back_and_what_has_no_unit_stays(mode: str) -> None:
    norm, past, outputs = trained(mode), torch.randn(2, 50, 3), torch.randn(2, 4, 3, 5)
    _, statistics = norm(past)
    restored = norm.restore(outputs, statistics)
    spread = torch.ones(3) if mode != "revin" else past.var(1, unbiased=False, keepdim=True).sqrt() / norm.log_weight.exp()
    torch.testing.assert_close(restored[..., 1].exp(), outputs[..., 1].exp() * spread, atol=1e-3, rtol=1e-3)
    assert torch.equal(restored[..., 2:], outputs[..., 2:])
    torch.testing.assert_close(restored[..., :1], norm.restore(outputs[..., :1], statistics))


@pytest.mark.parametrize("mode", ["last", "revin"])
def test_the_normalised_past_ignores_a_shift_and_the_forecast_follows_it(mode: str) -> None:
    norm, past, shift = trained(mode), torch.randn(2, 5, 3), torch.tensor([10.0, -3.0, 0.5])
    outputs = torch.randn(2, 4, 3, 1)
    (normal, statistics), (shifted, moved) = norm(past), norm(past + shift)
    torch.testing.assert_close(normal, shifted, atol=1e-5, rtol=1e-5)
    expected = norm.restore(outputs, statistics) + shift.unsqueeze(-1)
    torch.testing.assert_close(norm.restore(outputs, moved), expected, atol=1e-5, rtol=1e-5)


def test_revin_gives_mean_0_and_spread_1() -> None:
    normal, _ = WindowNorm("revin", 3)(7 + 2 * torch.randn(2, 50, 3))
    torch.testing.assert_close(normal.mean(1), torch.zeros(2, 3), atol=1e-5, rtol=0)
    torch.testing.assert_close(normal.std(1, unbiased=False), torch.ones(2, 3), atol=1e-4, rtol=0)


def test_a_constant_window_stays_finite() -> None:
    norm = WindowNorm("revin", 3)
    normal, statistics = norm(torch.full((2, 5, 3), 4.0))
    torch.testing.assert_close(norm.restore(normal.unsqueeze(-1), statistics).squeeze(-1), torch.full((2, 5, 3), 4.0))


def test_statistics_carry_no_gradient() -> None:
    past = torch.randn(2, 5, 3, requires_grad=True)
    for mode in ("last", "revin"):
        assert not any(part.requires_grad for part in trained(mode)(past)[1])


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ValueError, match=r"model.norm must be one of none, last, revin, got 'batch'"):
        WindowNorm("batch", 3)  # type: ignore[arg-type]
