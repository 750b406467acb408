"""``collector exchanges``: the capability matrix."""

from __future__ import annotations

from typing import Annotated

import msgspec
import typer
from rich.console import Console

from collector_cli.capabilities import capabilities, tables
from collector_cli.lazy import new_app
from collector_cli.output import Output

__all__ = ["app", "exchanges"]

app = new_app()


@app.command()
def exchanges(
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object for machines instead of tables.")
    ] = False,
) -> None:
    """List what each exchange offers, as its adapter declares it.

    Per channel: whether it is pushed, whether a lost row is noticed (at_once by its neighbours,
    audit by comparison over REST, never), and how much of the past can be fetched. Then the
    limits that we keep to.
    """
    found = capabilities()
    if as_json:
        output = Output()
        output.line(msgspec.json.encode(found))
        output.flush()
        return
    console = Console()
    for table in tables(found):
        console.print(table)
