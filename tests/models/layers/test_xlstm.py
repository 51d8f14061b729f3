from __future__ import annotations

import torch
from torch import Tensor

from models.layers.xlstm import BlockLinear, CausalConvolution, Cell, ScalarMemory, XLSTMStack, matrix_memory


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


def test_a_memory_that_is_a_matrix_is_that_of_the_papers_recurrence() -> None:
    queries, keys, values = (torch.randn(2, 3, 5, 4) for _ in range(3))
    raw_in, raw_forget = (2 * torch.randn(2, 3, 5) for _ in range(2))
    memory, total, outputs = torch.zeros(2, 3, 4, 4), torch.zeros(2, 3, 4), []
    for t in range(5):
        kept, added, key = raw_forget[..., t, None].sigmoid(), raw_in[..., t, None].exp(), keys[:, :, t] / 2
        memory = kept[..., None] * memory + added[..., None] * values[:, :, t].unsqueeze(-1) * key.unsqueeze(-2)
        total = kept * total + added * key
        size = (total * queries[:, :, t]).sum(-1, keepdim=True).abs().clamp(min=1)
        outputs.append((memory @ queries[:, :, t].unsqueeze(-1)).squeeze(-1) / size)
    torch.testing.assert_close(matrix_memory(queries, keys, values, raw_in, raw_forget), torch.stack(outputs, 2))


def test_a_memory_that_is_a_matrix_stays_finite_where_its_exponentials_would_not() -> None:
    parts = [torch.randn(2, 1, 6, 4) for _ in range(3)]
    gates = [(300 * torch.randn(2, 1, 6)).requires_grad_() for _ in range(2)]
    outputs = matrix_memory(*parts, *gates)
    torch.autograd.backward(outputs.sum())
    assert outputs.isfinite().all()
    assert all(gate.grad is not None and gate.grad.isfinite().all() for gate in gates)


def test_a_stack_of_either_cell_reads_no_step_after_its_own() -> None:
    cells: tuple[Cell, ...] = ("slstm", "mlstm")
    for cell in cells:
        stack, steps = XLSTMStack(cell, 8, n_blocks=2, n_heads=2, dropout=0.0), torch.randn(3, 6, 8)
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
    layer, steps = BlockLinear(6, n_blocks=3, n_maps=2), torch.randn(2, 5, 6)
    mapped = layer(steps)
    assert mapped.shape == (2, 5, 3, 4)
    torch.testing.assert_close(mapped[:, :, 1], steps[..., 2:4] @ layer.weight[1])
