from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from datasets.windows.batch import Batch
from models.base import WindowShape
from models.heads.draws import Draws
from models.heads.own import OwnHead
from models.hf_time_series_transformer import HFTimeSeriesTransformer
from tests.models.batches import make_batch
from tests.models.originals import skip_without

skip_without("transformers")
pytestmark = pytest.mark.usefixtures("one_thread")
SHAPE = WindowShape(lookback=6, horizon=5, n_targets=3, n_known=2, n_static=2, lags=(1, 3, 8), cardinalities=(3, 2))
LONGEST = 8


def original(shape: WindowShape = SHAPE, **arguments: Any) -> HFTimeSeriesTransformer:
    return HFTimeSeriesTransformer(shape, **{"head_width": 4, **arguments}).eval()


def cut(shape: WindowShape = SHAPE) -> tuple[Batch, dict[str, Any]]:
    """The windows at the end of some series, as this repository has them, and what the library's forward and generate get."""
    batch, steps, origin = make_batch(shape), shape.lookback + shape.horizon, LONGEST + shape.lookback
    series = 5 + 2 * torch.randn(4, LONGEST + steps, shape.n_targets)
    lagged = torch.stack([series[:, LONGEST - lag : LONGEST - lag + steps] for lag in shape.lags], -1)
    past_lags, future_lags = lagged[:, : shape.lookback], lagged[:, shape.lookback :]
    known_at_origin = torch.arange(shape.horizon)[:, None, None] < torch.tensor(shape.lags)
    inputs = replace(
        batch.inputs,
        past_target=series[:, LONGEST:origin],
        past_lags=past_lags,
        future_lags=torch.where(known_at_origin, future_lags, 0.0),
    )
    values = series if shape.n_targets > 1 else series.squeeze(-1)
    library = {
        "past_values": values[:, :origin],
        "past_observed_mask": torch.ones_like(values[:, :origin]),
        "past_time_features": torch.nn.functional.pad(inputs.past_known, (0, 0, LONGEST, 0)),
        "future_time_features": inputs.future_known,
        "static_real_features": inputs.static,
        "static_categorical_features": inputs.static_categories,
    }
    return replace(batch, inputs=inputs, future_target=series[:, origin:]), library


@pytest.mark.parametrize("distribution", ["student_t", "normal"])
@pytest.mark.parametrize("scaling", ["mean", "std", "none"])
@pytest.mark.parametrize("n_targets", [1, 3])
def test_the_loss_is_that_of_the_librarys_forward(distribution: str, scaling: str, n_targets: int) -> None:
    shape = replace(SHAPE, n_targets=n_targets)
    (batch, library), model = cut(shape), original(shape, distribution=distribution, scaling=scaling)
    future = batch.future_target if n_targets > 1 else batch.future_target.squeeze(-1)
    expected = model.network(**library, future_values=future).loss
    torch.testing.assert_close(model.training_loss(batch, OwnHead()).sum(-1).mean(), expected)


@pytest.mark.parametrize("scaling", ["mean", "std"])
def test_without_noise_the_librarys_generate_goes_the_path_of_locations(scaling: str) -> None:
    (batch, library), model = cut(), original(scaling=scaling, distribution="normal")
    torch.nn.init.constant_(model.network.parameter_projection.proj[1].bias, -1e5)
    model.network.config.num_parallel_samples = 2
    paths = model.network.generate(**library).sequences
    expected = model(batch.inputs).squeeze(-1).unsqueeze(1).expand(-1, 2, -1, -1)
    torch.testing.assert_close(paths, expected, atol=1e-4, rtol=1e-4)
    assert expected.std(2).min() > 1e-3  # a path that stands still would be no test


@pytest.mark.parametrize("distribution", ["student_t", "normal"])
def test_paths_of_one_step_spread_as_the_librarys_distribution(distribution: str) -> None:
    shape = replace(SHAPE, horizon=1)
    (batch, library), model = cut(shape), original(shape, distribution=distribution)
    found = model.network(**library, future_values=batch.future_target)
    density = model.network.output_distribution(found.params, loc=found.loc, scale=found.scale)
    with torch.no_grad():
        paths = model.predict(batch.inputs, OwnHead(), 2001, Draws(0, torch.arange(4))).paths
    torch.testing.assert_close(paths.median(1).values, density.mean, atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(paths.std(1), density.stddev, rtol=0.1, atol=0)


def test_a_window_that_observed_nothing_is_not_scaled_by_others() -> None:
    (batch, _), model = cut(), original()
    observed = batch.inputs.past_observed.clone()
    observed[1] = False
    inputs = replace(batch.inputs, past_observed=observed)
    torch.testing.assert_close(model(inputs), model(batch.inputs))
