from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from models.base import WindowShape
from models.transformer import Transformer
from tests.models.batches import make_batch

SHAPE = WindowShape(lookback=12, horizon=5, n_targets=3, n_known=2)


def transformer(**arguments: Any) -> Transformer:
    torch.manual_seed(0)
    return Transformer(SHAPE, **{"n_heads": 2, "head_width": 4, "feedforward": 16, **arguments}).eval()


def library_state(layer: nn.Module, names: dict[str, str], n_norms: int) -> dict[str, Tensor]:
    """The weights of one of our layers under the library's names."""
    state, mine = {}, layer.state_dict()
    for ours, theirs in names.items():
        for kind in ("weight", "bias"):
            state[f"{theirs}.in_proj_{kind}"] = torch.cat([mine[f"{ours}.{part}.{kind}"] for part in ("query", "key", "value")])
            state[f"{theirs}.out_proj.{kind}"] = mine[f"{ours}.output.{kind}"]
    for kind in ("weight", "bias"):
        state |= {f"linear1.{kind}": mine[f"feed.inner.{kind}"], f"linear2.{kind}": mine[f"feed.outer.{kind}"]}
        state |= {f"norm{i + 1}.{kind}": mine[f"norms.{i}.{kind}"] for i in range(n_norms)}
    return state


@pytest.mark.parametrize("activation", ["gelu", "relu"])
def test_encoder_and_decoder_layers_equal_the_librarys_at_equal_weights(activation: str) -> None:
    model, steps, memory = transformer(activation=activation), torch.randn(2, 7, 8), torch.randn(2, 9, 8)
    encoder = nn.TransformerEncoderLayer(8, 2, 16, activation=activation, batch_first=True).eval()
    encoder.load_state_dict(library_state(model.encoder[0], {"attention": "self_attn"}, 2))
    torch.testing.assert_close(model.encoder[0](steps), encoder(steps))
    decoder = nn.TransformerDecoderLayer(8, 2, 16, activation=activation, batch_first=True).eval()
    decoder.load_state_dict(library_state(model.decoder[0], {"own": "self_attn", "cross": "multihead_attn"}, 3))
    mask = nn.Transformer.generate_square_subsequent_mask(7)
    torch.testing.assert_close(model.decoder[0](steps, memory), decoder(steps, memory, tgt_mask=mask))


def test_the_calendar_of_the_last_step_moves_the_last_forecast_alone() -> None:
    inputs, model = make_batch(SHAPE).inputs, transformer(n_decoder_layers=2)
    future_known = inputs.future_known.clone()
    future_known[:, -1] += 1
    moved = (model(replace(inputs, future_known=future_known)) - model(inputs)).abs() > 1e-6
    assert not moved[:, :-1].any()
    assert moved[:, -1].all()


def test_the_default_size_is_the_base_size_of_the_paper() -> None:
    assert Transformer(SHAPE).get_parameter("encoder.0.feed.inner.weight").shape == (2048, 512)


def test_the_past_before_the_start_token_reaches_the_forecast_through_the_encoder_alone() -> None:
    inputs, model = make_batch(SHAPE).inputs, transformer(start_fraction=0.25)
    nn.init.zeros_(model.get_parameter("decoder.0.cross.output.weight"))
    past = inputs.past_target.clone()
    past[:, :9] += 1
    assert torch.equal(model(replace(inputs, past_target=past)), model(inputs))
    past[:, 9:] += 1
    assert not torch.allclose(model(replace(inputs, past_target=past)), model(inputs))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"head_width": 0}, "model.head_width must be 1 or more, got 0"),
        ({"n_decoder_layers": 0}, "model.n_decoder_layers must be 1 or more, got 0"),
        ({"start_fraction": 1.5}, r"model.start_fraction must lie in \[0, 1\], got 1.5"),
    ],
)
def test_an_argument_out_of_range_is_refused_in_one_sentence(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        transformer(**arguments)
