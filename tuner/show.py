"""Print what a run found, how it compares and where it lies. Reads files only, so a running study may be shown too."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tuner.console.errors import user_mistakes

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(epilog="Example: python -m tuner.show runs/my-study")
def show(folder: Annotated[Path, typer.Argument(help="A run folder: runs/<study>.")]) -> None:
    """Print what a run found, how it compares and where it lies."""
    from rich.console import Console

    from tuner.results.store import RunStore
    from tuner.results.summary import render, summarise

    with user_mistakes():
        summary = summarise(RunStore.open(folder))
    Console(highlight=False).print(render(summary))


if __name__ == "__main__":
    app()
