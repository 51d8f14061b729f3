from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from models.layers.attention import FullAttention, MultiHeadAttention, ProbSparseAttention


def heads(n_windows: int = 2, steps: int = 12, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    queries, keys, values = torch.randn(3, n_windows, 2, steps, 4, generator=generator)
    return queries, keys, values


@pytest.mark.parametrize("n_keys", [1, 16, 17])
def test_full_multi_head_attention_equals_the_library_at_equal_weights(n_keys: int) -> None:
    ours, theirs = MultiHeadAttention(FullAttention(), 8, 2, 4), nn.MultiheadAttention(8, 2, batch_first=True)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([ours.query.weight, ours.key.weight, ours.value.weight]))
        theirs.in_proj_bias.copy_(torch.cat([ours.query.bias, ours.key.bias, ours.value.bias]))
        theirs.out_proj.load_state_dict(ours.output.state_dict())
    queries, memory = torch.randn(3, 5, 8), torch.randn(3, n_keys, 8)
    torch.testing.assert_close(ours(queries, memory), theirs(queries, memory, memory, need_weights=False)[0])


def test_causal_attention_sees_nothing_ahead() -> None:
    queries, keys, values = heads()
    before = FullAttention(causal=True)(queries, keys, values)
    values[:, :, 6:] = 99.0
    after = FullAttention(causal=True)(queries, keys, values)
    torch.testing.assert_close(before[:, :, :6], after[:, :, :6], rtol=0, atol=0)


def test_mixing_lays_the_heads_one_after_the_other() -> None:
    attention = MultiHeadAttention(FullAttention(), 4, 2, 2, mix=True)
    attention.attention = nn.Module()
    attention.attention.forward = lambda *_: torch.arange(12.0).view(1, 2, 3, 2)  # head, step, place
    nn.init.eye_(attention.output.weight)
    nn.init.zeros_(attention.output.bias)
    torch.testing.assert_close(attention(torch.zeros(1, 3, 4), torch.zeros(1, 3, 4)), torch.arange(12.0).view(1, 3, 4))


def test_probsparse_is_full_attention_when_every_query_is_active() -> None:
    queries, keys, values = heads()
    for causal in (False, True):
        sparse = ProbSparseAttention(12, 12, factor=4, causal=causal)
        assert sparse.n_active == 12
        torch.testing.assert_close(sparse(queries, keys, values), FullAttention(causal=causal)(queries, keys, values))


def test_the_numbers_of_drawn_keys_and_active_queries_follow_the_paper() -> None:
    sparse = ProbSparseAttention(96, 48, factor=3)
    assert (sparse.n_drawn, sparse.n_active) == (3 * math.ceil(math.log(48)), 3 * math.ceil(math.log(96)))


def test_a_window_of_one_step_attends() -> None:
    assert ProbSparseAttention(1, 1)(*heads(steps=1)).shape == (2, 2, 1, 4)


def test_sparsity_is_the_largest_score_less_the_mean_over_the_drawn_keys() -> None:
    queries = torch.tensor([[[[1.0, 0.0], [0.0, 2.0]]]])
    keys = torch.tensor([[[[3.0, 1.0], [1.0, 1.0], [5.0, -2.0]]]])
    drawn = torch.tensor([[0, 1], [0, 2]])  # scores of query 0: 3, 1; of query 1: 2, -4
    measured = ProbSparseAttention(2, 3).sparsity(queries, keys, drawn)
    torch.testing.assert_close(measured, torch.tensor([[[1.0, 3.0]]]))


def test_only_queries_of_large_sparsity_attend_and_the_others_get_the_mean() -> None:
    queries, keys, values = heads()
    sparse = ProbSparseAttention(12, 12, factor=1).eval()
    active = sparse.sparsity(queries, keys, sparse.evaluation_draw).topk(3).indices.unsqueeze(-1)
    is_active = torch.zeros(2, 2, 12, 1, dtype=torch.bool).scatter(2, active, True)
    expected = torch.where(is_active, FullAttention()(queries, keys, values), values.mean(2, keepdim=True))
    torch.testing.assert_close(sparse(queries, keys, values), expected)


def test_an_inactive_query_of_causal_attention_gets_the_sum_so_far() -> None:
    queries, keys, values = heads()
    queries[:, :, 3] = 0.0  # a uniform query: its sparsity is 0
    output = ProbSparseAttention(12, 12, factor=1, causal=True)(queries, keys, values)
    torch.testing.assert_close(output[:, :, 3], values[:, :, :4].sum(2))


def test_causal_probsparse_outputs_do_not_see_later_values() -> None:
    queries, keys, values = heads()
    sparse = ProbSparseAttention(12, 12, factor=1, causal=True).eval()
    before = sparse(queries, keys, values)
    values[:, :, 6:] += 9.0
    torch.testing.assert_close(before[:, :, :6], sparse(queries, keys, values)[:, :, :6], rtol=0, atol=0)


def test_training_draws_follow_the_default_generator() -> None:
    sparse = ProbSparseAttention(96, 96)
    draws = [torch.manual_seed(seed) and sparse.draw(96) for seed in (1, 1, 2)]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])


def test_evaluation_draws_are_the_same_in_every_module_and_leave_the_default_generator_alone() -> None:
    state = torch.get_rng_state()
    draws = [ProbSparseAttention(96, 96).eval().draw(96) for _ in range(2)]
    assert torch.equal(draws[0], draws[1])
    assert torch.equal(torch.get_rng_state(), state)


def test_gradients_reach_queries_keys_and_values() -> None:
    parts = [part.requires_grad_() for part in heads()]
    ProbSparseAttention(12, 12, factor=1)(*parts).square().sum().backward()
    assert all(part.grad is not None and part.grad.abs().sum() > 0 for part in parts)
