from __future__ import annotations

from typing import TypeVar

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.layers.linear import GroupedLinear
from models.layers.xlstm import (
    CausalConvolution,
    Cell,
    GatedFeedForward,
    MatrixLayer,
    Residual,
    ScalarLayer,
    ScalarMemory,
    XLSTMStack,
    matrix_memory,
    within_blocks,
)

Layer = TypeVar("Layer", bound=nn.Module)


def filled(layer: Layer) -> Layer:
    """With other weights than those that it starts with."""
    for weight in layer.parameters():
        nn.init.normal_(weight, std=0.5)
    return layer


def normed(steps: Tensor, n_heads: int) -> Tensor:
    """Each head of each step at mean 0 and deviation 1."""
    heads = steps.unflatten(-1, (n_heads, -1))
    spread = (heads.var(-1, keepdim=True, unbiased=False) + 1e-5).sqrt()
    return ((heads - heads.mean(-1, keepdim=True)) / spread).flatten(-2)


def scalar_memory(inputs: Tensor, layer: ScalarMemory) -> Tensor:
    """Equations 8 to 14, without what keeps them in range (15 to 17)."""
    n_heads, size = layer.recurrent.shape[:2]
    hidden = cell = total = torch.zeros(len(inputs), n_heads, size)
    outputs = []
    for step in inputs.unbind(1):
        raw = step + torch.einsum("bni,nij->bnj", hidden, layer.recurrent) + layer.bias.squeeze(1)
        added, kept, value, out = raw.chunk(4, -1)
        added, kept = added.exp(), kept.sigmoid()
        cell, total = kept * cell + added * value.tanh(), kept * total + added
        hidden = out.sigmoid() * cell / total
        outputs.append(hidden.flatten(1))
    return torch.stack(outputs, 1)


def test_a_memory_of_scalars_is_that_of_the_papers_equations() -> None:
    layer, inputs = ScalarMemory(6, n_heads=2, depth=0.5), torch.randn(4, 5, 2, 12)
    torch.nn.init.normal_(layer.recurrent)
    torch.testing.assert_close(layer(inputs), scalar_memory(inputs, layer))


def test_a_memory_of_scalars_stays_finite_where_its_exponentials_would_not() -> None:
    layer, inputs = ScalarMemory(4, n_heads=1, depth=0.0), 300 * torch.randn(3, 6, 1, 16)
    inputs.requires_grad_()
    outputs = layer(inputs)
    torch.autograd.backward(outputs.sum())
    assert inputs.grad is not None
    assert inputs.grad.isfinite().all()
    assert (outputs.abs() <= 1).all()


def test_forget_gates_start_between_5_and_minus_7_within_each_head() -> None:
    forget = ScalarMemory(6, n_heads=2, depth=0.0).bias.detach().view(2, 4, 3)[:, 1]
    torch.testing.assert_close(forget, torch.tensor([5, 5 - 12 * 0.5**0.3, -7]).expand(2, -1))


def recalled(queries: Tensor, keys: Tensor, values: Tensor, raw_in: Tensor, raw_forget: Tensor) -> Tensor:
    """Equations 19 to 24, step by step."""
    n_windows, n_heads, n_steps, size = queries.shape
    memory, total, outputs = torch.zeros(n_windows, n_heads, size, size), torch.zeros(n_windows, n_heads, size), []
    for t in range(n_steps):
        kept, added, key = raw_forget[..., t, None].sigmoid(), raw_in[..., t, None].exp(), keys[:, :, t] / size**0.5
        memory = kept[..., None] * memory + added[..., None] * values[:, :, t].unsqueeze(-1) * key.unsqueeze(-2)
        total = kept * total + added * key
        length = (total * queries[:, :, t]).sum(-1, keepdim=True).abs().clamp(min=1)
        outputs.append((memory @ queries[:, :, t].unsqueeze(-1)).squeeze(-1) / length)
    return torch.stack(outputs, 2)


def test_a_memory_that_is_a_matrix_is_that_of_the_papers_recurrence() -> None:
    parts = [torch.randn(2, 3, 5, 4) for _ in range(3)]
    gates = [2 * torch.randn(2, 3, 5) for _ in range(2)]
    torch.testing.assert_close(matrix_memory(*parts, *gates), recalled(*parts, *gates))


def test_a_memory_that_is_a_matrix_stays_finite_where_its_exponentials_would_not() -> None:
    parts = [torch.randn(2, 1, 6, 4) for _ in range(3)]
    gates = [(300 * torch.randn(2, 1, 6)).requires_grad_() for _ in range(2)]
    outputs = matrix_memory(*parts, *gates)
    torch.autograd.backward(outputs.sum())
    assert outputs.isfinite().all()
    assert all(gate.grad is not None and gate.grad.isfinite().all() for gate in gates)


def test_queries_of_zero_recall_nothing_however_much_was_written() -> None:
    zeros, ones, gate = torch.zeros(1, 1, 3, 4), torch.ones(1, 1, 3, 4), torch.full((1, 1, 3), 200.0)
    assert torch.equal(matrix_memory(zeros, ones, ones, gate, gate), zeros)


def test_the_scalar_layer_reads_gates_from_its_convolution_and_values_from_its_input() -> None:
    layer, steps = filled(ScalarLayer(6, n_heads=2, depth=0.0)), torch.randn(4, 5, 6)
    seen = F.silu(layer.convolution(steps))
    weights = ((seen, layer.gates.weight), (steps, layer.values.weight))
    inputs = torch.cat([part.view(4, 5, 2, 1, 3) @ weight.mT for part, weight in weights], -1)
    hidden = scalar_memory(inputs.squeeze(3), layer.cell)
    torch.testing.assert_close(layer(steps), normed(hidden, 2) * layer.norm.weight + layer.norm.bias)


def test_the_matrix_layer_is_that_of_the_papers_figure() -> None:
    layer, steps = filled(MatrixLayer(4, n_heads=2)), torch.randn(3, 5, 4)
    read, gate = (
        steps @ weight.mT + bias for weight, bias in zip(layer.up.weight.split(8), layer.up.bias.split(8), strict=True)
    )
    seen = F.silu(layer.convolution(read))
    match, value = layer.match.weight, layer.value.weight
    queries, keys, values = (
        (part.view(3, 5, 2, 1, 4) @ weight.mT).view(3, 5, 8)
        for part, weight in ((seen, match[:, :4]), (seen, match[:, 4:]), (read, value))
    )
    gates = (torch.cat([queries, keys, values], -1) @ layer.gates.weight.mT + layer.gates.bias).mT.split(2, 1)
    heads = (part.view(3, 5, 2, 4).transpose(1, 2) for part in (queries, keys, values))
    found = normed(recalled(*heads, *gates).transpose(1, 2).flatten(2), 2) * layer.norm.weight + layer.norm.bias
    expected = (found + layer.skip * seen) * F.silu(gate) @ layer.down.weight.mT + layer.down.bias
    torch.testing.assert_close(layer(steps), expected, atol=1e-4, rtol=1e-4)


def test_the_gates_of_a_matrix_layer_start_without_weights_and_keep_most() -> None:
    gates = MatrixLayer(8, n_heads=4).gates
    assert not gates.weight.any()
    assert gates.bias[4:].tolist() == [3, 4, 5, 6]


@pytest.mark.parametrize(("width", "inner"), [(3, 4), (8, 11)])
def test_a_feed_forward_network_is_gated_by_gelu_at_four_thirds_of_its_width(width: int, inner: int) -> None:
    layer, steps = filled(GatedFeedForward(width)), torch.randn(2, 5, width)
    gate, read = (steps @ layer.up.weight.mT + layer.up.bias).split(inner, -1)
    expected = F.gelu(gate) * read @ layer.down.weight.mT + layer.down.bias
    torch.testing.assert_close(layer(steps), expected)


def test_what_a_layer_makes_of_normed_steps_is_added_to_them() -> None:
    layer, steps = filled(Residual(6, nn.Linear(6, 6), dropout=0.5)).eval(), torch.randn(2, 5, 6)
    added = layer.layer(normed(steps, 1) * layer.norm.weight + layer.norm.bias)
    torch.testing.assert_close(layer(steps), steps + added)
    share = ((layer.train()(steps.repeat(200, 1, 1)) - steps.repeat(200, 1, 1)) == 0).float().mean()
    assert 0.47 < share < 0.53


def test_a_stack_of_scalar_layers_has_a_feed_forward_network_after_each_and_forgets_sooner_the_deeper() -> None:
    *blocks, last = XLSTMStack("slstm", n_heads=2, head_width=3, n_blocks=3, dropout=0.0)
    layers = [block.layer for block in blocks]
    assert [type(layer) for layer in layers] == [ScalarLayer, GatedFeedForward] * 3
    assert isinstance(last, nn.LayerNorm)
    middles = [layer.cell.bias.detach().view(2, 4, 3)[0, 1, 1].item() for layer in layers[::2]]
    assert middles == pytest.approx([5 - 12 * 0.5 ** (0.3 + 1.3 * depth) for depth in (0, 0.5, 1)])


def test_a_stack_of_matrix_layers_has_nothing_between_them() -> None:
    *blocks, last = XLSTMStack("mlstm", n_heads=1, head_width=3, n_blocks=2, dropout=0.0)
    assert [type(block.layer) for block in blocks] == [MatrixLayer] * 2
    assert isinstance(last, nn.LayerNorm)


def test_a_matrix_layer_of_odd_width_has_blocks_of_two() -> None:
    layer = MatrixLayer(3, n_heads=1)
    assert layer.value.weight.shape == (3, 2, 2)
    assert layer(torch.randn(2, 4, 3)).shape == (2, 4, 3)


def test_a_stack_of_either_cell_reads_no_step_after_its_own() -> None:
    cells: tuple[Cell, ...] = ("slstm", "mlstm")
    for cell in cells:
        stack, steps = XLSTMStack(cell, n_heads=2, head_width=4, n_blocks=2, dropout=0.0), torch.randn(3, 6, 8)
        changed = torch.cat([steps[:, :4], torch.randn(3, 2, 8)], 1)
        before, after = stack(steps), stack(changed)
        torch.testing.assert_close(after[:, :4], before[:, :4])
        assert (after[:, 4:] != before[:, 4:]).any(-1).all()


def test_a_convolution_is_the_librarys_over_each_number_by_itself() -> None:
    layer, steps = CausalConvolution(3), torch.randn(2, 6, 3)
    padded = torch.nn.functional.pad(steps.mT, (3, 0))
    expected = torch.nn.functional.conv1d(padded, layer.weight.mT.unsqueeze(1), layer.bias, groups=3).mT
    torch.testing.assert_close(layer(steps), expected)


def test_blocks_do_not_see_each_other() -> None:
    layer, steps = GroupedLinear(3, 2, 4, bias=False), torch.randn(2, 5, 6)
    mapped = within_blocks(layer, steps)
    assert mapped.shape == (2, 5, 3, 4)
    torch.testing.assert_close(mapped[:, :, 1], steps[..., 2:4] @ layer.weight[1].mT)
