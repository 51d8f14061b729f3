"""The study: what is to be done, how one trial is done, what came out. The modules at the top are commands."""

import importlib.util
import sys
from pathlib import Path


def _check_datasets_is_ours() -> None:
    """Hugging Face's package is called datasets too; with the wrong one nothing below would make sense."""
    ours = Path(__file__).resolve().parent.parent / "datasets" / "__init__.py"
    found = importlib.util.find_spec("datasets")
    if found is None or found.origin is None or Path(found.origin).resolve() != ours:
        where = found.origin if found else "nowhere"
        sys.stderr.write(
            f"error: the package named datasets must be {ours.parent}, Python found {where}; "
            f"run from {ours.parent.parent} with python -m, without the other one on PYTHONPATH\n"
        )
        raise SystemExit(2)


_check_datasets_is_ours()
