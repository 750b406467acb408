"""A virtual environment for each peer, from hashed requirements, so that none steers another."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

__all__ = ["ROOT", "Missing", "python_of"]

ROOT: Final = Path(__file__).parents[1]
_FOLDER: Final = ROOT / ".cache" / "bench"
_TIMEOUT: Final = 600


class Missing(Exception):
    """A peer's environment is not there and could not, or should not, be made."""


def python_of(peer: str, *, install: bool) -> str:
    """Return the interpreter of a peer's environment.

    It is made anew when its requirements changed since.

    Args:
        peer: name of its ``requirements/bench-<name>.txt``.
        install: make the environment if it is not there.

    Raises:
        Missing: it is not there, or could not be made; the text says why.
    """
    requirements = ROOT / "requirements" / f"bench-{peer}.txt"
    folder = _FOLDER / peer
    python, stamp = folder / "bin" / "python", folder / "requirements.txt"
    if stamp.exists() and stamp.read_bytes() == requirements.read_bytes():
        return str(python)
    if not install:
        raise Missing(f"{peer} is not installed; `make bench` does it")
    shutil.rmtree(folder, ignore_errors=True)
    _run([sys.executable, "-m", "venv", str(folder)], peer)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    _run([*pip, "--no-deps", "--require-hashes", "-r", str(requirements)], peer)
    stamp.write_bytes(requirements.read_bytes())
    return str(python)


def _run(command: list[str], peer: str) -> None:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=_TIMEOUT, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise Missing(f"expected {peer} installed within {_TIMEOUT} s, was not done") from error
    if done.returncode:
        said = (done.stdout + done.stderr).strip()[-500:]
        raise Missing(f"expected {peer} installed, was status {done.returncode}: {said}")
