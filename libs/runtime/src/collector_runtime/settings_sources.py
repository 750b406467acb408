"""Where settings come from: environment, ``.env``, secret files, a YAML file, in this order."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

import yaml
from dotenv import dotenv_values
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from collector_core.errors import SettingsError
from collector_runtime.settings_names import PREFIX, SHORT, check_names, known_names

__all__ = ["EnvironmentSource", "FileSource"]

_ENV_FILE: Final = ".env"
_SECRETS: Final = "/run/secrets"


class _Source(PydanticBaseSettingsSource):
    """A source that knows all of its values at once."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        del field
        return self().get(field_name), field_name, False

    def __call__(self) -> dict[str, Any]:
        raise NotImplementedError


class EnvironmentSource(_Source):
    """Variables of the process, then those of ``.env``, then secret files.

    ``.env`` is read from the working directory, or from where ``COLLECTOR_ENV_FILE`` says. A
    secret file is called as its variable, in either case, and lies in ``COLLECTOR_SECRETS_DIR``
    (``/run/secrets``). An empty value counts as not set.
    """

    def __call__(self) -> dict[str, Any]:
        """Return the texts that were found, by field."""
        environment = {name.upper(): value for name, value in os.environ.items()}
        env_file = _chosen_path("COLLECTOR_ENV_FILE", _ENV_FILE)
        dotenv = _read_dotenv(env_file)
        secrets_dir = _chosen_path("COLLECTOR_SECRETS_DIR", _SECRETS)
        secrets = _read_secrets(secrets_dir)
        merged: dict[str, str] = {}
        for values, source in (
            (secrets, f"the secret files of {secrets_dir}"),
            (dotenv, str(env_file)),
            (environment, "the environment"),
        ):
            check_names(self.settings_cls, values, source)
            merged |= {name: value for name, value in values.items() if value}
        known = known_names(self.settings_cls)
        return {field: merged[name] for name, field in known.items() if name in merged}


class FileSource(_Source):
    """The YAML file that ``COLLECTOR_CONFIG`` names: a mapping by field names."""

    def __call__(self) -> dict[str, Any]:
        """Return the values that were found, by field."""
        path = os.environ.get("COLLECTOR_CONFIG")
        if not path:
            return {}
        values = _read_yaml(Path(path))
        outside = {_outside(self.settings_cls, str(key)): str(key) for key in values}
        check_names(self.settings_cls, outside, path)
        own = self.settings_cls.model_fields
        return {key: value for key, value in values.items() if key in own}


def _outside(settings: type[BaseSettings], key: str) -> str:
    """Return the variable that a key of the file stands for; any other is put as one of ours."""
    field = settings.model_fields.get(key)
    if field is not None and SHORT in field.metadata:
        return key.upper()
    return PREFIX + key.upper()


def _chosen_path(variable: str, default: str) -> Path:
    chosen = os.environ.get(variable)
    if chosen and not Path(chosen).exists():
        raise SettingsError(f"expected a file or folder at {variable}, was {chosen!r}")
    return Path(chosen or default)


def _read_dotenv(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    try:
        values = dotenv_values(path, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"expected a readable file at {path}, was {error}") from error
    return {name.upper(): value for name, value in values.items() if value is not None}


def _read_secrets(folder: Path) -> dict[str, str]:
    if not folder.is_dir():
        return {}
    try:
        return {
            path.name.upper(): path.read_text().rstrip("\r\n")
            for path in sorted(folder.iterdir())
            # Kubernetes keeps its own bookkeeping in names with dots
            if path.is_file() and not path.name.startswith(".")
        }
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"expected readable secret files in {folder}, was {error}") from error


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"expected a readable file at {path}, was {error}") from error
    except yaml.YAMLError as error:
        where = " ".join(str(error).split())
        raise SettingsError(f"expected YAML in {path}, was {where}") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise SettingsError(f"expected a mapping in {path}, was {type(values).__name__}")
    return values
