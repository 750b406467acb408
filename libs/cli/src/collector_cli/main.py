"""Entry point of the ``collector`` command: errors become one sentence and an exit status."""

from __future__ import annotations

import logging
import os
import sys
from importlib.metadata import version
from typing import Annotated, Final, NoReturn

import typer

from collector_cli.lazy import LazyGroup
from collector_cli.output import OutputClosed, silence
from collector_core.errors import CollectorError, SettingsError

__all__ = ["app", "collector", "main"]

_FAILURE: Final = 1
_SETTINGS: Final = 2
_INTERRUPTED: Final = 130
_CLOSED: Final = 141
"""What a shell reports of a program that SIGPIPE ended."""

app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    # plain help: Typer's boxes break paragraphs at the source's line ends
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(value: bool) -> None:
    if value:
        typer.echo(f"collector {version('collector-cli')}")
        raise typer.Exit


@app.callback()
def collector(
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Market data of crypto exchanges on Kafka.

    Kafka is found as the services find it: by KAFKA_BOOTSTRAP_SERVERS (localhost:9092 if it is
    not set), TOPIC_PREFIX, TOPIC_LAYOUT and the other settings of docs/configuration.md.

    Exit status: 0 done, 1 failed, 2 an argument or a setting is wrong, 130 interrupted. An error
    is one sentence; COLLECTOR_DEBUG=1 shows where it came from.
    """


def main() -> NoReturn:
    """Run the command of ``sys.argv`` and exit."""
    debug = os.environ.get("COLLECTOR_DEBUG") == "1"
    if not debug:
        # what Kafka's client logs while it tries again is not for users; errors are said by us
        logging.getLogger().addHandler(logging.NullHandler())
    try:
        app()
    except OutputClosed:
        silence()
        sys.exit(_CLOSED)
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)
    except (CollectorError, OSError) as error:
        if debug:
            raise
        sentence = " ".join(str(error).split())
        sys.stderr.write(f"collector: {sentence}\n")
        sys.exit(_SETTINGS if isinstance(error, SettingsError) else _FAILURE)
    sys.exit(0)
