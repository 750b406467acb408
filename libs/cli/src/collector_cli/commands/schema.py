"""``collector schema``: the types of the bus as JSON Schema."""

from __future__ import annotations

import json
from typing import Annotated, Final, get_args

import msgspec
import typer

from collector_cli.lazy import new_app
from collector_cli.output import Output
from collector_cli.schema import json_schema
from collector_core.errors import SettingsError
from collector_core.events import Row
from collector_core.records import CatalogEntry, Control, DeadLetter

__all__ = ["KINDS", "app", "list_types", "show"]

app = new_app("Show the JSON Schema of a row type.")

KINDS: Final[dict[str, type[msgspec.Struct]]] = {
    str(kind.__struct_config__.tag): kind
    for kind in (*get_args(Row), CatalogEntry, Control, DeadLetter)
}


@app.command()
def show(
    kind: Annotated[str, typer.Argument(metavar="TYPE", help="The word in a row's type field.")],
) -> None:
    """Print the JSON Schema (draft 2020-12) of a row type, as schemas/events/ has it."""
    found = KINDS.get(kind)
    if found is None:
        raise SettingsError(f"expected a row type ({', '.join(KINDS)}), was {kind!r}")
    output = Output()
    output.line(json.dumps(json_schema(found), indent=2, ensure_ascii=False).encode())
    output.flush()


@app.command(name="list")
def list_types() -> None:
    """List the row types with what each says."""
    output = Output()
    width = max(map(len, KINDS))
    for name, kind in KINDS.items():
        sentence = " ".join((kind.__doc__ or "").partition("\n\n")[0].split())
        output.line(f"{name:{width}}  {sentence}".encode())
    output.flush()
