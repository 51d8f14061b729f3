from __future__ import annotations

import subprocess
import sys
from operator import itemgetter
from typing import Any

import pytest
import torch

from models.base import WindowShape
from models.pf_tft import PFTFT
from tests.commands import ROOT
from tests.models.batches import make_batch
from tests.models.originals import skip_without

skip_without("pytorch_forecasting")
pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore:Attribute .* is an instance of `nn.Module`"),  # what the library says of itself
]
BARE = WindowShape(lookback=6, horizon=4, n_targets=2)
SHAPE = WindowShape(lookback=6, horizon=4, n_targets=2, n_past_covariates=1, n_known=3, n_static=2, cardinalities=(3, 2, 40))
CATEGORIES = WindowShape(lookback=6, horizon=4, n_targets=1, n_known=1, cardinalities=(5,))


def original(shape: WindowShape, **arguments: Any) -> PFTFT:
    return PFTFT(shape, **{"norm": "none", **arguments}).eval()


def library_of(model: PFTFT, **arguments: Any) -> Any:
    """The whole of the library, with the weights of the model."""
    from pytorch_forecasting.models import TemporalFusionTransformer
    from pytorch_forecasting.utils import get_embedding_size

    found = TemporalFusionTransformer(
        output_size=model.shape.n_targets * model.shape.n_outputs,
        static_categoricals=model.categories,
        static_reals=model.static,
        time_varying_reals_encoder=[*model.observed, *model.known],
        time_varying_reals_decoder=model.known,
        x_reals=[*model.observed, *model.known, *model.static],
        x_categoricals=model.categories,
        embedding_sizes={
            name: (n, get_embedding_size(n)) for name, n in zip(model.categories, model.shape.cardinalities, strict=True)
        },
        output_transformer=itemgetter("prediction"),
        **arguments,
    )
    found.load_state_dict(model.layers.state_dict(), strict=False)
    return found.eval()


def library_inputs(model: PFTFT) -> dict[str, torch.Tensor]:
    """What the library's forward reads, of ``make_batch``."""
    inputs, shape = make_batch(model.shape).inputs, model.shape
    unknown = torch.full((4, shape.horizon, shape.n_targets + shape.n_past_covariates), torch.nan)
    static = inputs.static if shape.n_static or shape.cardinalities else torch.ones(4, 1)
    known = inputs.past_known, inputs.future_known
    if not shape.n_known:
        places = torch.arange(-shape.lookback, shape.horizon) / shape.lookback
        known = places[: shape.lookback].expand(4, -1).unsqueeze(-1), places[shape.lookback :].expand(4, -1).unsqueeze(-1)
    past = torch.cat([inputs.past_target, inputs.past_covariates, known[0]], -1)
    return {
        "encoder_cont": torch.cat([past, static.unsqueeze(1).expand(-1, shape.lookback, -1)], -1),
        "decoder_cont": torch.cat([unknown, known[1], static.unsqueeze(1).expand(-1, shape.horizon, -1)], -1),
        "encoder_cat": inputs.static_categories.unsqueeze(1).expand(-1, shape.lookback, -1),
        "decoder_cat": inputs.static_categories.unsqueeze(1).expand(-1, shape.horizon, -1),
        "encoder_lengths": torch.full((4,), shape.lookback),
        "decoder_lengths": torch.full((4,), shape.horizon),
        "target_scale": torch.ones(4, 2),
    }


@pytest.mark.parametrize("shape", [SHAPE, BARE, CATEGORIES])
@pytest.mark.parametrize("n_layers", [1, 2])
def test_a_forecast_is_that_of_the_librarys_forward(shape: WindowShape, n_layers: int) -> None:
    model = original(shape, n_layers=n_layers, n_heads=2)
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.5)  # none starts at 0
    library = library_of(model, lstm_layers=n_layers, attention_head_size=2)
    expected = library(library_inputs(model))["prediction"]
    torch.testing.assert_close(model(make_batch(shape).inputs).squeeze(-1), expected)


@pytest.mark.parametrize("shape", [SHAPE, BARE, CATEGORIES])
def test_what_it_explains_are_the_weights_that_the_library_gives(shape: WindowShape) -> None:
    model = original(shape, n_heads=2)
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.5)
    found, expected = model.explain(make_batch(shape).inputs), library_of(model, attention_head_size=2)(library_inputs(model))
    numbers = slice(len(model.categories), len(model.categories) + shape.n_static)  # the library begins with categories
    static = expected["static_variables"].squeeze(-2)
    torch.testing.assert_close(found.static, torch.cat([static[:, numbers], static[:, : numbers.start]], -1))
    n_past = shape.n_targets + shape.n_past_covariates + shape.n_known
    past = expected["encoder_variables"].squeeze(-2)[..., :n_past]
    torch.testing.assert_close(found.past, past / past.sum(-1, keepdim=True))
    torch.testing.assert_close(found.future, expected["decoder_variables"].squeeze(-2)[..., : shape.n_known])
    attention = torch.cat([expected["encoder_attention"], expected["decoder_attention"]], -1)
    torch.testing.assert_close(found.attention, attention.mean(2))


def test_the_defaults_are_those_of_the_library() -> None:
    model = original(SHAPE)
    weights = {name: weight.shape for name, weight in library_of(model).named_parameters()}
    assert {name.removeprefix("layers."): weight.shape for name, weight in model.named_parameters()} == weights
    assert model.layers.multihead_attn.dropout.p == library_of(model).hparams.dropout


def test_it_computes_where_its_weights_are() -> None:
    model = original(SHAPE).to("meta")
    assert model(make_batch(SHAPE).inputs.to(torch.device("meta"))).device.type == "meta"


def test_building_one_prints_nothing() -> None:
    code = """
from models.base import WindowShape
from models.pf_tft import PFTFT
PFTFT(WindowShape(lookback=2, horizon=1, n_targets=1))"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_more_heads_than_width_are_refused() -> None:
    with pytest.raises(ValueError, match=r"model\.n_heads must not exceed width, got n_heads=5, width=4"):
        original(BARE, width=4, n_heads=5)
