"""``python bench/run.py``: measure, beside peers, in one run (docs/benchmarks.md)."""

from __future__ import annotations

import sys
from pathlib import Path

# the benchmarks are no package of the installation: they are found from where this file stands
sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.command import main  # after the path is set

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
