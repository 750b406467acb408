"""``collector exchanges``: the capability matrix."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
import typer
from rich.console import Console

from collector_cli.capabilities import capabilities, markdown, tables
from collector_cli.lazy import new_app
from collector_cli.output import Output

__all__ = ["app", "exchanges"]

app = new_app()

_WIDTH: Final = 140
"""Columns where no terminal says how many there are."""


@app.command()
def exchanges(
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object for machines instead of tables.")
    ] = False,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="The tables in Markdown, as the manual has them.")
    ] = False,
) -> None:
    """List what each exchange offers, as its adapter declares it.

    Per channel: whether it is pushed or fetched over REST, whether a lost row is seen (at once by
    its neighbours, by an audit over REST, or never), and how much of the past can be fetched.
    Then the intervals of candles, what proves trades and books, and the limits that we keep to.
    """
    found = capabilities()
    if as_json or as_markdown:
        output = Output()
        output.line(msgspec.json.encode(found) if as_json else markdown(found).rstrip().encode())
        output.flush()
        return
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH)
    for table in tables(found):
        console.print(table)
