"""The options that more than one command has, spelt once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

WHAT, HOW, WHERE = "What is tuned", "How it is searched", "Where it runs"

Space = Annotated[str, typer.Option("--space", help="A search space by name, or a dotted path.", rich_help_panel=WHAT)]
Dataset = Annotated[str, typer.Option("--dataset", help="A name, or a .csv or .parquet file.", rich_help_panel=WHAT)]
Horizon = Annotated[int, typer.Option("--horizon", help="Steps to forecast.", rich_help_panel=WHAT)]
Metric = Annotated[str, typer.Option("--metric", help="What ranks the trials.", rich_help_panel=WHAT)]
DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Where named data sets are looked for first.", rich_help_panel=WHAT)
]
Fill = Annotated[
    str | None, typer.Option("--fill", help="Missing values of a file: forward, linear or zero.", rich_help_panel=WHAT)
]
Settings = Annotated[
    list[str] | None, typer.Option("--set", help="Fix a key: key=value. Repeatable.", metavar="KEY=VALUE", rich_help_panel=WHAT)
]
Epochs = Annotated[int, typer.Option("--epochs", help="Epochs that a trial may get.", rich_help_panel=HOW)]
Seed = Annotated[int, typer.Option("--seed", help="Every random draw follows from it.", rich_help_panel=HOW)]
