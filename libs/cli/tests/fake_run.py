"""``collector run`` with the fakes beside it in place of the services."""

import sys
from pathlib import Path

from collector_cli.commands import run as command
from collector_cli.main import main
from collector_cli.run.plan import Programs

here = Path(__file__).parent
command.PROGRAMS = Programs(
    *((str(here / f"fake_{name}.py"),) for name in ("simulator", "ingestor", "indicator")),
    patience=2.0,
)
sys.argv[0] = "collector"
main()
