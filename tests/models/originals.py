"""Models that are another library's own, which is an extra of ours: without it their tests skip."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

LIBRARIES = {"hf_time_series_transformer": "transformers", "pf_tft": "pytorch_forecasting"}
"""By model: what it imports."""


def skip_without(*libraries: str) -> None:
    """Skips a test, or a module of tests, where one of them is not installed."""
    for library in libraries:
        if find_spec(library) is None:
            pytest.skip(f"needs {library}: pip install -c constraints.txt -e '.[originals]'", allow_module_level=True)


def skip_unless_installed(model: str) -> None:
    """Skips the test of a model whose library is not installed."""
    if model in LIBRARIES:
        skip_without(LIBRARIES[model])
