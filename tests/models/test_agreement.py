"""Our own layers beside those of two public libraries, at equal weights.

Where weights do not map, as the libraries compute something else, the layers' own tests hold them to the equations of the
papers: the ways around residual networks of the TFT whose width changes, and the weights of its variables (test_tft.py).
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from models.autoformer import AutoCorrelation
from models.layers.attention import FullAttention, MultiHeadAttention
from models.layers.decomposition import Decomposition
from models.layers.embedding import sinusoidal_positions
from models.layers.kan import KANLayer
from models.layers.transformer import EncoderLayer, FeedForward
from models.tft import Gate, GatedResidual, InterpretableAttention, Selection
from models.time_series_transformer import SteppingDecoderLayer
from tests.models.originals import skip_without

skip_without("transformers", "pytorch_forecasting")
pytestmark = pytest.mark.usefixtures("one_thread")

ATTENTION = {"query": "q_proj", "key": "k_proj", "value": "v_proj", "output": "out_proj"}
FEED = {"feed.inner": "fc1", "feed.outer": "fc2"}


def give(ours: nn.Module, library: nn.Module, names: dict[str, str]) -> None:
    """Random weights to parts of ours, by name, and the same to those of the library; no weight is left out."""
    for weight in ours.parameters():
        nn.init.normal_(weight, std=0.5)
    state = ours.state_dict()
    weights = {
        f"{theirs}{key.removeprefix(name)}": value
        for name, theirs in names.items()
        for key, value in state.items()
        if key.startswith(f"{name}.")
    }
    assert len(weights) == len(state)
    library.load_state_dict(weights)


def below(part: str, theirs: str) -> dict[str, str]:
    return {f"{part}.{name}": f"{theirs}.{other}" for name, other in ATTENTION.items()}


def configured(**arguments: Any) -> Any:
    """A configuration of the library's time series transformer, whose attention is the plain product."""
    from transformers import TimeSeriesTransformerConfig

    config = TimeSeriesTransformerConfig(prediction_length=5, d_model=8, encoder_ffn_dim=6, decoder_ffn_dim=6, **arguments)
    config._attn_implementation = "eager"
    return config


def unseen(n_steps: int) -> Tensor:
    """What the library adds to the scores of causal attention."""
    return torch.full((n_steps, n_steps), -torch.inf).triu(1)[None, None]


@pytest.mark.parametrize("causal", [False, True])
def test_attention_is_that_of_transformers(causal: bool) -> None:
    from transformers.models.time_series_transformer import modeling_time_series_transformer as library

    theirs = library.TimeSeriesTransformerAttention(8, 2, config=configured()).eval()
    ours, steps = MultiHeadAttention(FullAttention(causal=causal), 8, 2, 4), torch.randn(3, 5, 8)
    give(ours, theirs, ATTENTION)
    torch.testing.assert_close(ours(steps, steps), theirs(steps, attention_mask=unseen(5) if causal else None)[0])
    if not causal:
        memory = torch.randn(3, 7, 8)
        torch.testing.assert_close(ours(steps, memory), theirs(steps, memory)[0])


@pytest.mark.parametrize("activation", ["gelu", "relu"])
def test_an_encoder_layer_is_that_of_transformers(activation: str) -> None:
    from transformers.models.time_series_transformer import modeling_time_series_transformer as library

    theirs = library.TimeSeriesTransformerEncoderLayer(configured(activation_function=activation)).eval()
    ours = EncoderLayer(MultiHeadAttention(FullAttention(), 8, 2, 4), FeedForward(8, 6, activation, 0.1), 8, 0.1).eval()
    norms = {"norms.0": "self_attn_layer_norm", "norms.1": "final_layer_norm"}
    give(ours, theirs, {**below("attention", "self_attn"), **FEED, **norms})
    steps = torch.randn(3, 5, 8)
    torch.testing.assert_close(ours(steps), theirs(steps, None))


def test_a_decoder_layer_is_that_of_transformers() -> None:
    from transformers.models.time_series_transformer import modeling_time_series_transformer as library

    theirs = library.TimeSeriesTransformerDecoderLayer(configured(), layer_idx=0).eval()
    ours = SteppingDecoderLayer(8, 2, 4, FeedForward(8, 6, "gelu", 0.1), 0.1).eval()
    norms = {"norms.0": "self_attn_layer_norm", "norms.1": "encoder_attn_layer_norm", "norms.2": "final_layer_norm"}
    give(ours, theirs, {**below("own", "self_attn"), **below("cross", "encoder_attn"), **FEED, **norms})
    steps, memory = torch.randn(3, 5, 8), torch.randn(3, 7, 8)
    expected = theirs(steps, unseen(5), memory, use_cache=False)
    torch.testing.assert_close(ours(steps, memory), expected)


@pytest.mark.parametrize("width", [8, 7])
def test_positions_are_those_of_transformers_which_lays_cosines_behind_sines(width: int) -> None:
    from transformers.models.time_series_transformer import modeling_time_series_transformer as library

    ours = sinusoidal_positions(50, width)
    theirs = library.TimeSeriesSinusoidalPositionalEmbedding(50, width).create_weight()
    torch.testing.assert_close(torch.cat([ours[:, ::2], ours[:, 1::2]], 1), theirs)


@pytest.mark.parametrize("kernel", [1, 5, 25])
def test_the_decomposition_is_that_of_transformers_at_odd_kernels(kernel: int) -> None:
    """An even kernel shortens the library's trend by one step."""
    from transformers import AutoformerConfig
    from transformers.models.autoformer import modeling_autoformer as library

    steps = torch.randn(3, 12, 4)
    theirs = library.AutoformerSeriesDecompositionLayer(AutoformerConfig(prediction_length=1, moving_average=kernel))
    for ours, expected in zip(Decomposition(12, (kernel,))(steps), theirs(steps), strict=True):
        torch.testing.assert_close(ours, expected)


@pytest.mark.parametrize("factor", [1, 3])
@pytest.mark.parametrize("n_keys", [12, 20])
def test_auto_correlation_is_that_of_transformers_with_one_head(factor: int, n_keys: int) -> None:
    """Of several heads the library averages the correlations, and gives the delays of one window to another: a tile of the
    batch meets rows by head. Where keys are fewer than queries, it cuts the queries."""
    from transformers.models.autoformer import modeling_autoformer as library

    theirs = library.AutoformerAttention(8, 1, autocorrelation_factor=factor).eval()
    ours = MultiHeadAttention(AutoCorrelation(factor), 8, 1, 8)
    give(ours, theirs, ATTENTION)
    steps, memory = torch.randn(3, 12, 8), torch.randn(3, n_keys, 8)
    torch.testing.assert_close(ours(steps, memory), theirs(steps, memory)[0], atol=1e-5, rtol=1e-5)


GATE = {"linear": "glu.fc", "norm": "add_norm.norm"}
RESIDUAL = {"inner": "fc1", "outer": "fc2", "gate.linear": "gate_norm.glu.fc", "gate.norm": "gate_norm.add_norm.norm"}


def test_a_gate_is_that_of_pytorch_forecasting() -> None:
    from pytorch_forecasting.models.temporal_fusion_transformer import sub_modules as library

    ours, theirs = Gate(6, 8, 0.1).eval(), library.GateAddNorm(6, 8, dropout=0.1).eval()
    give(ours, theirs, GATE)
    values, skip = torch.randn(3, 5, 6), torch.randn(3, 5, 8)
    torch.testing.assert_close(ours(values, skip), theirs(values, skip))


def test_a_gated_residual_network_is_that_of_pytorch_forecasting() -> None:
    from pytorch_forecasting.models.temporal_fusion_transformer import sub_modules as library

    ours = GatedResidual(8, 6, 8, 0.1, context=True).eval()
    theirs = library.GatedResidualNetwork(8, 6, 8, 0.1, context_size=6).eval()
    give(ours, theirs, {**RESIDUAL, "context": "context"})
    values, context = torch.randn(3, 5, 8), torch.randn(3, 1, 6)
    torch.testing.assert_close(ours(values, context), theirs(values, context))


def test_selected_variables_are_those_of_pytorch_forecasting_under_equal_weights() -> None:
    """The weights themselves differ: on the way around their network the library interpolates n * D numbers to n."""
    from pytorch_forecasting.models.temporal_fusion_transformer import sub_modules as library

    sizes, variables = dict.fromkeys("abc", 8), torch.randn(2, 5, 3, 8)
    ours, theirs = Selection(3, 8, 0.1).eval(), library.VariableSelectionNetwork(sizes, 8, dropout=0.1).eval()
    theirs.prescalers = nn.ModuleDict()
    for weight in ours.parameters():
        nn.init.normal_(weight, std=0.5)
    for place, name in enumerate(sizes):
        weights = {f"{other}.{kind}": getattr(ours.variables.get_submodule(part), kind)[place].squeeze(0)
                   for part, other in RESIDUAL.items() for kind in ("weight", "bias")}  # fmt: skip
        theirs.single_variable_grns[name].load_state_dict(
            {key: value.mT if value.ndim == 2 else value for key, value in weights.items()}
        )
    chosen, shares = ours(variables)
    theirs.flattened_grn = Given(shares.log())
    expected, found = theirs(dict(zip(sizes, variables.unbind(-2), strict=True)))
    torch.testing.assert_close(found.squeeze(-2), shares)
    torch.testing.assert_close(chosen, expected)


class Given(nn.Module):
    """Puts out what it was given, whatever comes in."""

    def __init__(self, outputs: Tensor) -> None:
        super().__init__()
        self.outputs = outputs

    def forward(self, *_: Tensor | None) -> Tensor:
        return self.outputs


def test_interpretable_attention_is_that_of_pytorch_forecasting_at_equal_masks() -> None:
    """By its own mask a step of the library does not see itself, which it does in the paper; its last map has no bias."""
    from pytorch_forecasting.models.temporal_fusion_transformer import sub_modules as library

    ours, theirs = InterpretableAttention(6, 4, 8, 2), library.InterpretableMultiHeadAttention(2, 8).eval()
    for weight in ours.parameters():
        nn.init.normal_(weight, std=0.5)
    nn.init.zeros_(ours.output.bias)
    theirs.v_layer.load_state_dict(ours.value.state_dict())
    theirs.w_h.load_state_dict({"weight": ours.output.weight})
    for part, layers in ((ours.query, theirs.q_layers), (ours.key, theirs.k_layers)):
        for head, layer in enumerate(layers):
            layer.load_state_dict({key: value[4 * head : 4 * head + 4] for key, value in part.state_dict().items()})
    steps = torch.randn(3, 10, 8)
    expected, weights = theirs(steps[:, 6:], steps, steps, mask=~ours.seen.unsqueeze(0))
    torch.testing.assert_close(ours(steps), expected)
    torch.testing.assert_close(ours.weights(steps), weights.mean(2))


def test_a_kolmogorov_arnold_layer_is_that_of_pytorch_forecasting() -> None:
    from pytorch_forecasting.layers._kan import KANLayer as Library

    ours, theirs = KANLayer(4, 3, n_intervals=5, reach=2.0), Library(4, 3, num=5, k=3, grid_range=[-2, 2])
    inputs = torch.randn(64, 4)
    nn.init.normal_(theirs.coef)
    nn.init.normal_(theirs.scale_sp)
    with torch.no_grad():
        ours.weight.copy_(theirs.scale_base.mT)
        ours.coefficients.copy_((theirs.scale_sp.unsqueeze(-1) * theirs.coef).transpose(0, 1).flatten(1))
    torch.testing.assert_close(ours(2 * inputs), theirs(2 * inputs), atol=1e-5, rtol=1e-5)
