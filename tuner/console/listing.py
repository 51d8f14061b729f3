"""What there is to name on the command line, read from source: nothing heavy is imported."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

import datasets
import models
import search_spaces
from tuner.study.metrics import METRICS
from tuner.study.schema import source_of, summary_of


def print_names() -> None:
    """Spaces, data sets, models and metrics, a line each."""
    console = Console()
    parts = [
        (title, {name: summary_of(source_of(package.__name__, name)) for name in package.names()})
        for title, package in (("Search spaces", search_spaces), ("Data sets", datasets), ("Models", models))
    ]
    metrics = {name: f"{m.formula} ({m.source}; unit: {m.unit}; {m.way})" for name, m in METRICS.items()}
    for title, lines in (*parts, ("Metrics", metrics)):
        table = Table(title=title, title_justify="left", title_style="bold", show_header=False, box=None, pad_edge=False)
        table.add_column(style="cyan", no_wrap=True)
        table.add_column()
        for name, line in lines.items():
            table.add_row(name, line)
        console.print(table)
        console.print()
