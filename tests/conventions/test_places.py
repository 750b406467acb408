"""No file names the machine it was written on or the registry it was built from."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

from .repository import ROOT, files, name_of

PUBLIC = {"pypi.org", "files.pythonhosted.org", "repo.maven.apache.org", "localhost", "127.0.0.1"}
HOME = re.compile(r"(?<![\w.~{}$-])/(?:home|Users)/[a-z][\w.-]+/", re.IGNORECASE)
URL = re.compile(r"https?://[^\s\"'<>,\]]+")


def texts() -> list[tuple[str, str]]:
    found = []
    for path in files():
        try:
            found.append((name_of(path), path.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue
    return found


def registries() -> set[str]:
    """Return the hosts from which this machine installs, public ones left out."""
    settings = " ".join(value for name, value in os.environ.items() if "INDEX" in name.upper())
    settings += subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    maven = Path.home() / ".m2" / "settings.xml"
    if maven.is_file():
        # its name spaces are public addresses too
        settings += " ".join(re.findall(r"<url>(.*?)</url>", maven.read_text(encoding="utf-8")))
    hosts = {urlsplit(url).hostname or "" for url in URL.findall(settings)}
    return hosts - PUBLIC - {""}


def test_no_file_names_this_machine() -> None:
    here = {str(ROOT) + "/", str(ROOT)}
    if Path.home() != Path("/"):
        here.add(str(Path.home()) + "/")
    found = {
        f"{name}: {match[0]}"
        for name, text in texts()
        for match in [
            *HOME.finditer(text),
            *(m for place in here for m in re.finditer(rf"{re.escape(place)}(?![\w-])", text)),
        ]
    }
    assert found == set()


def test_no_file_names_a_private_registry() -> None:
    hosts = registries()
    found = {f"{name}: {host}" for name, text in texts() for host in hosts if host in text}
    assert found == set()


def test_no_file_sets_an_index() -> None:
    option = "--" + "index-url"
    extra = "--extra-" + "index-url"
    found = {name for name, text in texts() if option in text or extra in text}
    assert found == set()


def test_there_is_something_to_look_at() -> None:
    names = {name for name, _ in texts()}
    assert {"Makefile", "pyproject.toml", "requirements/run.txt"} <= names
