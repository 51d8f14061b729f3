"""The options that more than one command has, spelt once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

WHAT, DATA, HOW, WHERE = "What is tuned", "How the data is read and cut", "How it is searched", "Where it runs"
FAULTS = "When something goes wrong, and afterwards"

Space = Annotated[str, typer.Option("--space", help="A search space by name, or a dotted path.", rich_help_panel=WHAT)]
Dataset = Annotated[str, typer.Option("--dataset", help="A name, or a .csv, .parquet or .tsf file.", rich_help_panel=WHAT)]
Horizon = Annotated[
    int | None,
    typer.Option("--horizon", help="Steps to forecast. Default: that of a .tsf file, else 24.", rich_help_panel=WHAT),
]
Metric = Annotated[str, typer.Option("--metric", help="What ranks the trials.", rich_help_panel=WHAT)]
DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Where named data sets are looked for first.", rich_help_panel=WHAT)
]
Target = Annotated[
    str | None,
    typer.Option("--target", help="Columns to forecast, with commas. Default: all columns of numbers.", rich_help_panel=DATA),
]
Covariates = Annotated[
    str | None,
    typer.Option(
        "--covariates", help="Columns known up to the origin; none. Default: what the targets leave.", rich_help_panel=DATA
    ),
]
Known = Annotated[str | None, typer.Option("--known", help="Columns known ahead, through the horizon.", rich_help_panel=DATA)]
Static = Annotated[
    str | None, typer.Option("--static", help="Columns that are the same in all rows of a series.", rich_help_panel=DATA)
]
SeriesId = Annotated[
    str | None,
    typer.Option("--series-id", help="The column that tells the series of a long table apart.", rich_help_panel=DATA),
]
Fill = Annotated[str | None, typer.Option("--fill", help="Missing values: forward, seasonal or zero.", rich_help_panel=DATA)]
ShortSeries = Annotated[
    str | None, typer.Option("--short-series", help="Series too short for the windows: drop or pad.", rich_help_panel=DATA)
]
Split = Annotated[
    str | None,
    typer.Option(
        "--split",
        help="fractions (70/10/20 % of rows), others as in 60/20/20, or last (a horizon each). Default: by the data.",
        rich_help_panel=DATA,
    ),
]
Folds = Annotated[int, typer.Option("--folds", help="Rolling origins to validate on; 1 is a holdout.", rich_help_panel=DATA)]
FoldsFile = Annotated[
    Path | None,
    typer.Option("--folds-file", help="The study.json of a run, whose borders are used again.", rich_help_panel=DATA),
]
Protocol = Annotated[
    str,
    typer.Option("--protocol", help="holdout; continual: one network learns stages in turn.", rich_help_panel=DATA),
]
Stages = Annotated[int | None, typer.Option("--stages", help="Of --protocol continual. Default: 5.", rich_help_panel=DATA)]
LastStepOnly = Annotated[
    bool,
    typer.Option(
        "--last-step-only",
        help="Only the last step of the horizon counts, in losses and scores, as in LSTNet.",
        rich_help_panel=DATA,
    ),
]
WholeNumbers = Annotated[
    bool,
    typer.Option(
        "--whole-numbers",
        help="Forecasts are rounded before they are scored and written, as for counts in Monash's archive; losses are not.",
        rich_help_panel=DATA,
    ),
]
Paths = Annotated[int, typer.Option("--paths", help="Paths that a probabilistic forecast draws.", rich_help_panel=DATA)]
Settings = Annotated[
    list[str] | None, typer.Option("--set", help="Fix a key: key=value. Repeatable.", metavar="KEY=VALUE", rich_help_panel=WHAT)
]
Epochs = Annotated[
    int,
    typer.Option("--epochs", help="Epochs that a trial may get; with --protocol continual in each stage.", rich_help_panel=HOW),
]
Seed = Annotated[int, typer.Option("--seed", help="Every random draw follows from it.", rich_help_panel=HOW)]
