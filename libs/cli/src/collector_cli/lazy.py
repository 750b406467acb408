"""Commands that are imported when they are called, so that ``--help`` answers at once.

A command is a module of ``collector_cli.commands`` with a Typer ``app``; its sentence for the list
stands in ``COMMANDS``, because to read it from the module would import what the module needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

__all__ = ["COMMANDS", "LazyGroup", "new_app"]

COMMANDS: Final[Mapping[str, str]] = {
    "run": "Start everything on this machine and watch rows flow.",
    "record": "Store raw frames of an exchange, for `collector replay`.",
    "replay": "Turn recorded frames into normalized rows.",
    "tail": "Print rows of the bus as they come, one JSON object a line.",
    "dead-letters": "Show frames that could not be read, and try them again.",
    "exchanges": "List what each exchange offers, as its adapter declares it.",
    "topics": "Plan, make and check the topics of an exchange's symbols.",
    "subscribe": "Add symbols to a running ingestor, or change their channels.",
    "unsubscribe": "Take symbols, or some of their channels, from a running ingestor.",
    "indicators": "List the indicators, check your own, or compute them over a file or a topic.",
    "schema": "Show the JSON Schema of a row type.",
}


class LazyGroup(TyperGroup):
    """Lists ``COMMANDS`` and imports the one that is called."""

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401  # Typer's own arguments
        super().__init__(**attributes)
        for name, sentence in COMMANDS.items():
            self.add_command(TyperCommand(name, help=sentence), name)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[Any, Any, list[str]]:  # noqa: ANN401  # Typer keeps these types private
        """Return the real command for the first argument, and the arguments left."""
        name, command, rest = super().resolve_command(ctx, args)
        if name is not None:
            module = import_module(f"collector_cli.commands.{name.replace('-', '_')}")
            command = get_command(module.app)
            command.name = name
        return name, command, rest


def new_app(help_text: str | None = None) -> typer.Typer:
    """Return the Typer app of a command; ``help_text`` is for a command that has commands."""
    return typer.Typer(
        help=help_text,
        no_args_is_help=help_text is not None,
        # plain help: Typer's boxes break paragraphs at the source's line ends
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        # only the root offers completion
        add_completion=False,
    )
