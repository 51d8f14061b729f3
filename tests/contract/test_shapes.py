"""Shapes in annotations are not words alone: the tests run with each of them checked (see conftest.py)."""

from __future__ import annotations

import importlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from jaxtyping import TypeCheckError

from models.base import WindowShape
from models.dlinear import DLinear
from models.layers.attention import FullAttention
from tests.commands import ROOT
from tests.models.batches import make_batch
from tests.models.floors.data import floor_data
from tuner.training.metrics import ErrorSums

SHAPE = WindowShape(lookback=6, horizon=3, n_targets=2)


def test_every_module_with_shapes_is_checked() -> None:
    packages = ("models", "datasets", "search_spaces", "tuner", "cluster")
    paths = [path for package in packages for path in (ROOT / package).rglob("*.py") if "from jaxtyping" in path.read_text()]
    shaped = {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in paths}
    assert {"models.base", "datasets.windows.batch", "tuner.training.metrics"} <= shaped
    assert {name for name in shaped if "jaxtyping" not in type(importlib.import_module(name).__loader__).__module__} == set()


def test_a_forward_without_outputs_is_refused() -> None:
    model, inputs = DLinear(SHAPE), make_batch(SHAPE).inputs
    model.norm.restore = lambda outputs, statistics: outputs.squeeze(-1)  # type: ignore[method-assign]  # B H C, and no O
    with pytest.raises(TypeCheckError, match=r"return value of models\.dlinear\.DLinear\.forward"):
        model(inputs)


def test_a_letter_means_one_size_in_all_arguments_of_a_call() -> None:
    queries, keys = torch.zeros(2, 1, 5, 4), torch.zeros(2, 1, 7, 4)
    assert FullAttention()(queries, keys, keys).shape == queries.shape
    with pytest.raises(TypeCheckError, match="parameter 'values'"):
        FullAttention()(queries, keys, keys[:, :, :6])


def test_what_numpy_would_stretch_is_refused() -> None:
    data = floor_data([np.zeros((20, 1))], [(10, 15, 20)], 2)
    with pytest.raises(TypeCheckError, match="parameter 'paths'"):
        ErrorSums(data, data.stages[0]).add(np.arange(9, 13), np.zeros((3, 1, 2, 1)))


def test_the_fields_of_a_batch_agree() -> None:
    inputs = make_batch(SHAPE).inputs
    with pytest.raises(TypeCheckError, match="parameter 'future_known'"):
        replace(inputs, future_known=inputs.future_known[:2])
