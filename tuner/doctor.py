"""Say what is wrong with this machine or with a run, and what to do. Reads only, so a running study may be looked at too."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tuner.console.errors import user_mistakes

if TYPE_CHECKING:
    from rich.console import RenderableType

    from tuner.results.inspection import Finding

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

_STYLES = {"ok": "dim", "warning": "yellow", "error": "bold red"}


@app.command(epilog="Example: python -m tuner.doctor runs/my-study")
def doctor(
    folder: Annotated[Path | None, typer.Argument(help="A run folder: runs/<study>. Without it, the machine alone.")] = None,
) -> None:
    """Say what is wrong with this machine or with a run, and what to do.

    Exit code 0 if nothing is, warnings aside, 1 if something is, 2 if FOLDER is no run.
    """
    from rich.console import Console

    from cluster.machine import check_machine
    from tuner.results.inspection import inspect

    with user_mistakes():
        of_run = inspect(folder) if folder else []
    found = [*check_machine(folder.absolute().parent if folder else Path("runs")), *of_run]
    console = Console(highlight=False)
    console.print(_render("This machine", found[: len(found) - len(of_run)]))
    if folder:
        console.print(_render(str(folder), of_run))
    n_errors, n_warnings = (sum(each.level == level for each in found) for level in ("error", "warning"))
    console.print(f"\n{_sentence(n_errors, n_warnings)}")
    raise SystemExit(1 if n_errors else 0)


def _render(title: str, found: list[Finding]) -> RenderableType:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for level, what, advice in found:
        style = _STYLES[level]
        table.add_row(Text(level, style=style), Text.assemble(what, (f"; {advice}" if advice else "", style)))
    return Group(Text(), Text(title, style="bold"), table)


def _sentence(n_errors: int, n_warnings: int) -> str:
    from tuner.results.text import count

    warnings = f"{count(n_warnings, 'warning')}."
    if n_errors:
        return f"Something is wrong: {count(n_errors, 'error')}, {warnings}"
    return f"Nothing is wrong; {warnings}" if n_warnings else "Nothing is wrong."


if __name__ == "__main__":
    app()
