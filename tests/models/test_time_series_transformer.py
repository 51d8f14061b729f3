from __future__ import annotations

import pytest
import torch
from torch import Tensor

from models.base import WindowShape
from models.heads import make_head
from models.time_series_transformer import AutoregressiveTransformer, SteppingDecoderLayer, TimeSeriesTransformer
from tests.models.batches import make_batch

SHAPE = WindowShape(lookback=4, horizon=5, n_targets=2, n_known=3, n_static=1, lags=(1, 3), cardinalities=(3,), n_outputs=3)


def network() -> AutoregressiveTransformer:
    torch.manual_seed(0)
    found = TimeSeriesTransformer(SHAPE, head_width=4).eval().network
    assert isinstance(found, AutoregressiveTransformer)
    return found


def test_true_values_fed_back_give_what_teacher_forcing_gives() -> None:
    batch, seen, model = make_batch(SHAPE), [], network()

    def draw(hidden: Tensor) -> Tensor:
        seen.append(hidden)
        return batch.future_target[:, None, len(seen) - 1].expand(-1, 3, -1)

    model.sampled(batch.inputs, 3, draw)
    expected = model.taught(batch.inputs, batch.future_target).unsqueeze(1).expand(-1, 3, -1, -1, -1)
    torch.testing.assert_close(torch.stack(seen, 2), expected, atol=1e-5, rtol=1e-5)


def test_a_path_reads_its_own_past_and_the_memory_of_its_own_channel() -> None:
    layer = network().decoder[0]
    assert isinstance(layer, SteppingDecoderLayer)
    memory, steps = torch.randn(2 * 3, 4, 8), torch.randn(5, 2, 7, 3, 8)  # (steps, windows, paths, channels, width)
    kept = torch.full((2, 2 * 7 * 3, 2, 5, 4), torch.nan)
    outputs = []
    for place, step in enumerate(steps):
        output, kept = layer.step(step, layer.read(memory), kept, place)
        outputs.append(output)
    found = torch.stack(outputs)
    for window in range(2):
        for channel in range(3):
            own = steps[:, window, :, channel].transpose(0, 1)
            expected = layer(own, memory[window * 3 + channel].expand(7, -1, -1)).transpose(0, 1)
            torch.testing.assert_close(found[:, window, :, channel], expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("step", [1, 3])
def test_no_output_depends_on_its_own_target_or_a_later_one(step: int) -> None:
    batch, model = make_batch(SHAPE), network()
    changed = batch.future_target.clone()
    changed[:, step:] += 1
    before, after = (model.taught(batch.inputs, future) for future in (batch.future_target, changed))
    torch.testing.assert_close(after[:, : step + 1], before[:, : step + 1])
    assert (after[:, step + 1 :] != before[:, step + 1 :]).any(-1).all()


def test_the_default_size_is_the_librarys() -> None:
    model = TimeSeriesTransformer(SHAPE)
    assert (model.projection.in_features, make_head("student_t").n_outputs) == (64, model.projection.out_features)
