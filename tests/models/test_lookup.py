from __future__ import annotations

import pytest

import models


def test_models_are_found_by_file_name() -> None:
    assert {"dlinear", "informer"} <= set(models.names())
    assert models.get("informer").__name__ == "Informer"


def test_an_unknown_model_lists_those_that_exist() -> None:
    with pytest.raises(LookupError, match=r"no model is named 'x'; there are: .*informer"):
        models.get("x")
